-- How long an incident may stay in a stage at a site, as JSON as the API has it; none: as the configuration says.
ALTER TABLE site ADD COLUMN deadlines TEXT COLLATE "C";

-- A stage that still takes too long some time after the reminder is escalated. What was reminded of before is escalated in its next stage.
ALTER TABLE incident ADD COLUMN escalates BIGINT; -- when that is due
ALTER TABLE incident ADD COLUMN escalated BIGINT NOT NULL DEFAULT 0; -- 1: the present stage was
CREATE INDEX incident_escalates ON incident (escalates) WHERE is_open = 1 AND escalates IS NOT NULL;

-- More time that somebody asked for and nobody has decided about yet: all three or none.
ALTER TABLE incident ADD COLUMN extension_by TEXT COLLATE "C" REFERENCES person (name);
ALTER TABLE incident ADD COLUMN extension_until BIGINT;
ALTER TABLE incident ADD COLUMN extension_reason TEXT COLLATE "C";

-- Where sources chatter, and what goes on for a day: few incidents are in either.
CREATE INDEX incident_repeated ON incident (last) WHERE alarms >= 3;
CREATE INDEX incident_ongoing ON incident (first) WHERE ongoing > 0;
