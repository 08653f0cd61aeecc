-- Why somebody looked at pictures.

-- Who opened what an alarm shows, and what for. Only added to.
CREATE TABLE viewing (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    time         INTEGER NOT NULL,
    until        INTEGER NOT NULL, -- it holds for so long,
    person       TEXT    NOT NULL,
    display_name TEXT    NOT NULL, -- as it was then, as are
    roles        TEXT    NOT NULL, -- words with commas between them
    sites        TEXT,             -- names with commas between them; none: every site
    address      TEXT    NOT NULL,
    edge         TEXT    NOT NULL,
    alarm        TEXT    NOT NULL,
    kind         TEXT    NOT NULL, -- of the alarm, as is
    camera       TEXT,
    incident     TEXT,             -- either an incident that was open
    reason       TEXT,             -- or a reason
    said         TEXT              -- in words
) STRICT;
CREATE INDEX viewing_by_alarm ON viewing (alarm, number);
CREATE INDEX viewing_by_person ON viewing (person, number);

-- What of it was looked at, when first. Only added to.
CREATE TABLE viewed_piece (
    viewing    TEXT    NOT NULL REFERENCES viewing (id),
    event      TEXT    NOT NULL,
    sha256     TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    time       INTEGER NOT NULL,
    PRIMARY KEY (viewing, event, sha256)
) STRICT;

-- What holds of it now: for whom a session stands, and for a few minutes.
CREATE TABLE opening (
    session TEXT    NOT NULL REFERENCES session (hash) ON DELETE CASCADE,
    alarm   TEXT    NOT NULL,
    viewing TEXT    NOT NULL REFERENCES viewing (id),
    until   INTEGER NOT NULL,
    PRIMARY KEY (session, alarm)
) STRICT;
CREATE INDEX opening_by_until ON opening (until);

CREATE TRIGGER viewing_stays BEFORE DELETE ON viewing BEGIN SELECT raise(ABORT, 'viewings are never deleted'); END;
CREATE TRIGGER viewing_is_fixed BEFORE UPDATE ON viewing BEGIN SELECT raise(ABORT, 'viewings are never changed'); END;
CREATE TRIGGER viewed_piece_stays BEFORE DELETE ON viewed_piece BEGIN SELECT raise(ABORT, 'viewed pieces are never deleted'); END;
CREATE TRIGGER viewed_piece_is_fixed BEFORE UPDATE ON viewed_piece BEGIN SELECT raise(ABORT, 'viewed pieces are never changed'); END;

-- An original takes two people: who asks, and another who agrees before the box is told.
ALTER TABLE command ADD COLUMN person TEXT;                              -- by what who gave it signs in
ALTER TABLE command ADD COLUMN needs_second INTEGER NOT NULL DEFAULT 0;  -- 1: it is sent only once another person approved it

-- What a second person said. Only added to.
CREATE TABLE approval (
    command TEXT    PRIMARY KEY REFERENCES command (id),
    time    INTEGER NOT NULL,
    person  TEXT    NOT NULL,
    who     TEXT    NOT NULL, -- as records name them
    outcome TEXT    NOT NULL, -- approved, declined
    said    TEXT,
    change  INTEGER NOT NULL
) STRICT;
CREATE INDEX approval_by_change ON approval (change);
CREATE TRIGGER approval_stays BEFORE DELETE ON approval BEGIN SELECT raise(ABORT, 'approvals are never deleted'); END;
CREATE TRIGGER approval_is_fixed BEFORE UPDATE ON approval BEGIN SELECT raise(ABORT, 'approvals are never changed'); END;

-- Evidence of an alarm that is kept although its time is over: who proposed it, and what two people then did. Only added to.
CREATE TABLE hold (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id     TEXT    NOT NULL UNIQUE,
    alarm  TEXT    NOT NULL,
    edge   TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    until  INTEGER NOT NULL,
    time   INTEGER NOT NULL,
    person TEXT    NOT NULL,
    who    TEXT    NOT NULL -- as records name them
) STRICT;
CREATE INDEX hold_by_alarm ON hold (alarm);

CREATE TABLE hold_step (
    hold   TEXT    NOT NULL REFERENCES hold (id),
    number INTEGER NOT NULL,
    time   INTEGER NOT NULL,
    person TEXT    NOT NULL,
    who    TEXT    NOT NULL,
    step   TEXT    NOT NULL,
    said   TEXT,
    PRIMARY KEY (hold, number)
) STRICT;
CREATE TRIGGER hold_stays BEFORE DELETE ON hold BEGIN SELECT raise(ABORT, 'holds are never deleted'); END;
CREATE TRIGGER hold_is_fixed BEFORE UPDATE ON hold BEGIN SELECT raise(ABORT, 'holds are never changed'); END;
CREATE TRIGGER hold_step_stays BEFORE DELETE ON hold_step BEGIN SELECT raise(ABORT, 'steps of holds are never deleted'); END;
CREATE TRIGGER hold_step_is_fixed BEFORE UPDATE ON hold_step BEGIN SELECT raise(ABORT, 'steps of holds are never changed'); END;
