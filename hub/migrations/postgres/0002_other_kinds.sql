-- What the other kinds of alarm say beside kind and place.
ALTER TABLE alarm ADD COLUMN direction TEXT COLLATE "C"; -- line_crossing: which way
ALTER TABLE alarm ADD COLUMN crowd_count BIGINT; -- overcrowding: the most that were counted at once
ALTER TABLE alarm ADD COLUMN crowd_limit BIGINT; -- overcrowding: how many are allowed

