-- What the other kinds of alarm say beside kind and place.
ALTER TABLE alarm ADD COLUMN direction TEXT;      -- line_crossing: which way
ALTER TABLE alarm ADD COLUMN crowd_count INTEGER; -- overcrowding: the most that were counted at once
ALTER TABLE alarm ADD COLUMN crowd_limit INTEGER; -- overcrowding: how many are allowed

-- A box may have been brought up to date before its hub: then these alarms are here, but without what the hub did not
-- know how to read. The events are kept whole, so it is read now. What makes no sense stays empty.
UPDATE alarm SET
    zone = coalesce(zone, (
        SELECT line FROM (
            SELECT json_extract(envelope, '$.data.happening.line') AS line FROM event
            WHERE event.id = alarm.first_event AND json_valid(envelope)
        ) WHERE typeof(line) = 'text' AND length(line) BETWEEN 1 AND 64 AND line NOT GLOB '*[^a-z0-9-]*'
    )),
    direction = (
        SELECT direction FROM (
            SELECT json_extract(envelope, '$.data.happening.direction') AS direction FROM event
            WHERE event.id = alarm.first_event AND json_valid(envelope)
        ) WHERE direction IN ('left_to_right', 'right_to_left')
    )
WHERE kind = 'line_crossing';

UPDATE alarm SET (crowd_count, crowd_limit) = (
    SELECT most, allowed FROM (
        SELECT json_extract(envelope, '$.data.happening.count') AS most,
            json_extract(envelope, '$.data.happening.limit') AS allowed
        FROM event WHERE event.alarm = alarm.id AND event.kind = 'overcrowding' AND json_valid(envelope)
    )
    WHERE typeof(most) = 'integer' AND typeof(allowed) = 'integer'
        AND most BETWEEN 0 AND 4294967295 AND allowed BETWEEN 0 AND 4294967295
    ORDER BY most DESC, allowed DESC LIMIT 1
)
WHERE kind = 'overcrowding';
