-- Which sensor an alarm is of, and what it senses.
ALTER TABLE alarm ADD COLUMN sensor TEXT;
ALTER TABLE alarm ADD COLUMN input TEXT;

-- A box may have been brought up to date before its hub; the events are kept whole. What makes no sense stays empty.
UPDATE alarm SET
    sensor = (
        SELECT sensor FROM (
            SELECT json_extract(envelope, '$.data.happening.sensor') AS sensor FROM event
            WHERE event.id = alarm.first_event AND json_valid(envelope)
        ) WHERE typeof(sensor) = 'text' AND length(sensor) BETWEEN 1 AND 64 AND sensor NOT GLOB '*[^a-z0-9-]*'
    ),
    input = (
        SELECT input FROM (
            SELECT json_extract(envelope, '$.data.happening.input') AS input FROM event
            WHERE event.id = alarm.first_event AND json_valid(envelope)
        ) WHERE input IN ('contact', 'motion', 'vibration', 'fence', 'beam', 'glass_break', 'smoke', 'heat', 'gas', 'water',
            'panic', 'level')
    )
WHERE kind IN ('sensor_alarm', 'sensor_fault');

-- What people call a sensor, as its edge last said.
CREATE TABLE sensor_label (
    edge   TEXT NOT NULL,
    sensor TEXT NOT NULL,
    label  TEXT NOT NULL,
    PRIMARY KEY (edge, sensor)
) STRICT, WITHOUT ROWID;
