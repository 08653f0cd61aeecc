-- Grouping asks for the open incidents of a box and kind around an alarm's time. With `first` in the index, those that began
-- later than the alarm are passed over without being read: a backlog that a box sends after an outage has all of them before it.
DROP INDEX incident_open_at;
CREATE INDEX incident_open_at ON incident (edge, kind, last, first) WHERE is_open = 1;
