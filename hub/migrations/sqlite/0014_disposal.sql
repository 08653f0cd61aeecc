-- Records are deleted once they are as old as the hub is told to keep them, and half a year at least (docs/PRIVACY.md).

-- What happened before this moment need not be kept. It only moves on, and never into the last 180 days.
CREATE TABLE record_horizon (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    moment   INTEGER NOT NULL
) STRICT;
INSERT INTO record_horizon VALUES (1, 0);
CREATE TRIGGER record_horizon_moves_on BEFORE UPDATE ON record_horizon
    WHEN new.moment < old.moment OR new.moment > (unixepoch() - 180 * 86400) * 1000000000
    BEGIN SELECT raise(ABORT, 'records of the last 180 days are never deleted'); END;
CREATE TRIGGER record_horizon_stays BEFORE DELETE ON record_horizon BEGIN SELECT raise(ABORT, 'the horizon is never deleted'); END;

-- What was deleted, and up to when. Only added to.
CREATE TABLE disposal (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    horizon   INTEGER NOT NULL UNIQUE, -- records older than this
    began     INTEGER NOT NULL,
    alarms    INTEGER NOT NULL,
    events    INTEGER NOT NULL,
    incidents INTEGER NOT NULL,
    steps     INTEGER NOT NULL,        -- of their timelines
    register  INTEGER NOT NULL,        -- viewings
    commands  INTEGER NOT NULL,
    holds     INTEGER NOT NULL,
    records   INTEGER NOT NULL         -- of the access log, and of deleted evidence
) STRICT;
CREATE TRIGGER disposal_stays BEFORE DELETE ON disposal BEGIN SELECT raise(ABORT, 'disposals are never deleted'); END;

-- The events of an alarm, and those that belong to none.
CREATE INDEX event_by_alarm ON event (alarm) WHERE alarm IS NOT NULL;
CREATE INDEX event_alone ON event (received) WHERE alarm IS NULL;

DROP TRIGGER command_stays;
CREATE TRIGGER command_stays BEFORE DELETE ON command WHEN old.expires >= (SELECT moment FROM record_horizon)
    BEGIN SELECT raise(ABORT, 'commands are never deleted before their time'); END;
DROP TRIGGER reply_stays;
CREATE TRIGGER reply_stays BEFORE DELETE ON reply WHEN old.received >= (SELECT moment FROM record_horizon)
    BEGIN SELECT raise(ABORT, 'replies are never deleted before their time'); END;
DROP TRIGGER deletion_stays;
CREATE TRIGGER deletion_stays BEFORE DELETE ON deletion WHEN old.time >= (SELECT moment FROM record_horizon)
    BEGIN SELECT raise(ABORT, 'deletions are never deleted before their time'); END;
DROP TRIGGER access_record_stays;
CREATE TRIGGER access_record_stays BEFORE DELETE ON access_record WHEN old.time >= (SELECT moment FROM record_horizon)
    BEGIN SELECT raise(ABORT, 'access records are never deleted before their time'); END;
DROP TRIGGER viewing_stays;
CREATE TRIGGER viewing_stays BEFORE DELETE ON viewing WHEN old.time >= (SELECT moment FROM record_horizon)
    BEGIN SELECT raise(ABORT, 'viewings are never deleted before their time'); END;
DROP TRIGGER viewed_piece_stays;
CREATE TRIGGER viewed_piece_stays BEFORE DELETE ON viewed_piece WHEN old.time >= (SELECT moment FROM record_horizon)
    BEGIN SELECT raise(ABORT, 'viewed pieces are never deleted before their time'); END;
DROP TRIGGER approval_stays;
CREATE TRIGGER approval_stays BEFORE DELETE ON approval WHEN old.time >= (SELECT moment FROM record_horizon)
    BEGIN SELECT raise(ABORT, 'approvals are never deleted before their time'); END;
DROP TRIGGER hold_stays;
CREATE TRIGGER hold_stays BEFORE DELETE ON hold WHEN old.until >= (SELECT moment FROM record_horizon)
    BEGIN SELECT raise(ABORT, 'holds are never deleted before their time'); END;
DROP TRIGGER hold_step_stays;
CREATE TRIGGER hold_step_stays BEFORE DELETE ON hold_step WHEN old.time >= (SELECT moment FROM record_horizon)
    BEGIN SELECT raise(ABORT, 'steps of holds are never deleted before their time'); END;

-- Of a step whose time is over its number and hash stay, so that the chain of those behind it can still be followed.
CREATE TABLE incident_step_kept (
    number   INTEGER PRIMARY KEY, -- without a gap
    incident TEXT REFERENCES incident (id),
    version  INTEGER,             -- its place among those of its incident
    time     INTEGER,
    actor    TEXT,                -- by what the person signs in; none: the hub
    action   TEXT,
    document TEXT,                -- all of it, as it was hashed
    hash     TEXT NOT NULL,
    UNIQUE (incident, version)
) STRICT;
INSERT INTO incident_step_kept SELECT number, incident, version, time, actor, action, document, hash FROM incident_step;
DROP TRIGGER incident_step_stays;
DROP TABLE incident_step;
ALTER TABLE incident_step_kept RENAME TO incident_step;
CREATE INDEX incident_step_by_action ON incident_step (action, time, actor);
CREATE TRIGGER incident_step_stays BEFORE DELETE ON incident_step BEGIN SELECT raise(ABORT, 'steps are never deleted'); END;
CREATE TRIGGER incident_step_is_fixed BEFORE UPDATE ON incident_step
    WHEN NOT (coalesce(old.time < (SELECT moment FROM record_horizon), 0)
        AND new.number = old.number AND new.hash = old.hash AND new.incident IS NULL AND new.version IS NULL
        AND new.time IS NULL AND new.actor IS NULL AND new.action IS NULL AND new.document IS NULL)
    BEGIN SELECT raise(ABORT, 'steps are never changed'); END;
