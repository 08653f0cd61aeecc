-- Which sensor an alarm is of, and what it senses.
ALTER TABLE alarm ADD COLUMN sensor TEXT COLLATE "C";
ALTER TABLE alarm ADD COLUMN input TEXT COLLATE "C";

-- What people call a sensor, as its edge last said.
CREATE TABLE sensor_label (
    edge   TEXT COLLATE "C" NOT NULL,
    sensor TEXT COLLATE "C" NOT NULL,
    label  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (edge, sensor)
);
