-- Whoever is limited to a school asks for the register and the deletions of its few boxes, each by itself.
CREATE INDEX viewing_by_edge ON viewing (edge, number);
CREATE INDEX deletion_by_edge ON deletion (edge, number);
