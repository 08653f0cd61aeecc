-- Looking back: incidents by when they were opened, whatever else is asked of them. What a search can ask for is in the index itself, so one
-- that finds nothing in a million, and the figures of a month, read the index and no row.
DROP INDEX incident_by_opened;
CREATE INDEX incident_history ON incident (opened, number, edge, kind, severity, stage, outcome, reason, camera,
    acknowledged, closed, rule);
CREATE INDEX incident_history_at ON incident (edge, opened, number);
DROP INDEX incident_open;
CREATE INDEX incident_open ON incident (opened, number) WHERE is_open = 1;

-- What was done in a shift.
CREATE INDEX incident_by_closed ON incident (closed) WHERE closed IS NOT NULL;
CREATE INDEX incident_step_by_action ON incident_step (action, time, actor);
