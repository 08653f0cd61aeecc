-- Alarms of one happening, followed from report to closing.
CREATE TABLE incident (
    number        INTEGER PRIMARY KEY AUTOINCREMENT, -- what people call it by
    id            TEXT    NOT NULL UNIQUE,
    edge          TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    camera        TEXT,
    zone          TEXT,
    sensor        TEXT,
    cause         TEXT,
    object        TEXT,             -- of its first alarm, as are
    input         TEXT,
    rule          TEXT,
    severity      INTEGER NOT NULL,
    alarms        INTEGER NOT NULL,
    ongoing       INTEGER NOT NULL, -- how many of them go on
    first         INTEGER NOT NULL, -- by the box's clock, as in alarm
    last          INTEGER NOT NULL,
    opened        INTEGER NOT NULL, -- by the hub's
    acknowledged  INTEGER,          -- when somebody had looked
    closed        INTEGER,
    stage         TEXT    NOT NULL,
    is_open       INTEGER NOT NULL,
    outcome       TEXT,
    reason        TEXT,
    assignee      TEXT REFERENCES person (name),
    shelved_until INTEGER,
    due           INTEGER,
    reminded      INTEGER NOT NULL, -- 1: that the present stage takes too long has been said
    version       INTEGER NOT NULL, -- how many steps it has
    change        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX incident_by_change ON incident (change);
CREATE INDEX incident_open ON incident (number) WHERE is_open = 1;
CREATE INDEX incident_open_at ON incident (edge, kind, last) WHERE is_open = 1;
CREATE INDEX incident_due ON incident (due) WHERE is_open = 1 AND reminded = 0 AND due IS NOT NULL;
CREATE INDEX incident_by_opened ON incident (opened);

CREATE TABLE incident_alarm (
    alarm    TEXT    PRIMARY KEY,
    incident TEXT    NOT NULL REFERENCES incident (id),
    ongoing  INTEGER NOT NULL -- 1: it goes on, as far as its incident has counted
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_alarm_by_incident ON incident_alarm (incident);

-- Who handles or handled an incident.
CREATE TABLE incident_assignee (
    person   TEXT NOT NULL REFERENCES person (name),
    incident TEXT NOT NULL REFERENCES incident (id),
    PRIMARY KEY (person, incident)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_assignee_by_incident ON incident_assignee (incident);

-- Who did what when. Only added to; each step holds the hash of the one before it, over all incidents.
CREATE TABLE incident_step (
    number   INTEGER PRIMARY KEY, -- without a gap
    incident TEXT    NOT NULL REFERENCES incident (id),
    version  INTEGER NOT NULL,    -- its place among those of its incident
    time     INTEGER NOT NULL,
    actor    TEXT,                -- by what the person signs in; none: the hub
    action   TEXT    NOT NULL,
    document TEXT    NOT NULL,    -- all of it, as it was hashed
    hash     TEXT    NOT NULL,
    UNIQUE (incident, version)
) STRICT;
CREATE TRIGGER incident_step_stays BEFORE DELETE ON incident_step BEGIN SELECT raise(ABORT, 'steps are never deleted'); END;
CREATE TRIGGER incident_step_is_fixed BEFORE UPDATE ON incident_step BEGIN SELECT raise(ABORT, 'steps are never changed'); END;

-- Up to which change alarms have been grouped. What happened before there were incidents stays without.
CREATE TABLE incident_position (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    change   INTEGER NOT NULL
) STRICT;
INSERT INTO incident_position SELECT 1, last FROM change_number;
