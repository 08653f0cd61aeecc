-- Grouping asks for the open incidents of a box and kind around an alarm's time. With `first` in the index, those that began
-- later than the alarm are passed over without being read: a backlog that a box sends after an outage has all of them before it.
-- What is open is said otherwise than in `incident_open`, so that no planner can take that one for it.
DROP INDEX incident_open_at;
CREATE INDEX incident_open_at ON incident (edge, kind, last, first) WHERE is_open <> 0;
