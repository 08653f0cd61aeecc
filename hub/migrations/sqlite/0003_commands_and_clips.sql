-- What events name as evidence, whether it has come or not.
CREATE TABLE named_evidence (
    event         TEXT    NOT NULL,
    sha256        TEXT    NOT NULL,
    alarm         TEXT,
    media_type    TEXT    NOT NULL, -- of the bytes as they travel
    bytes         INTEGER NOT NULL,
    original_kept INTEGER NOT NULL, -- 1: the box keeps the uncovered original and may release it
    command       TEXT,             -- an original: the command that released it,
    until         INTEGER,          -- when it has to be deleted,
    content       TEXT,             -- and what is inside the encryption
    PRIMARY KEY (event, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX named_evidence_by_alarm ON named_evidence (alarm);

INSERT OR IGNORE INTO named_evidence (event, sha256, alarm, media_type, bytes, original_kept)
SELECT event.id, named.value ->> 'sha256', event.alarm, named.value ->> 'media_type', named.value ->> 'bytes',
    coalesce(named.value ->> '$.original.state' = 'kept', 0)
FROM event, json_each(event.envelope, '$.data.evidence') AS named
WHERE json_valid(event.envelope)
    AND json_type(named.value, '$.sha256') = 'text' AND json_type(named.value, '$.media_type') = 'text'
    AND json_type(named.value, '$.bytes') = 'integer';

-- Files on disk: pictures, clips, and originals that were released until a day.
ALTER TABLE evidence ADD COLUMN media_type TEXT NOT NULL DEFAULT 'image/jpeg';
ALTER TABLE evidence ADD COLUMN until INTEGER;
CREATE INDEX evidence_by_until ON evidence (until) WHERE until IS NOT NULL;
CREATE INDEX evidence_by_received ON evidence (received);

-- What was deleted, when and why. Only added to.
CREATE TABLE deletion (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    time       INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    sha256     TEXT    NOT NULL,
    edge       TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    received   INTEGER NOT NULL,
    cause      TEXT    NOT NULL, -- released_until: its end was set by the command; age: kept as long as configured
    command    TEXT
) STRICT;
CREATE INDEX deletion_by_evidence ON deletion (event, sha256);

-- Every command ever given, by whom and why. Only added to.
CREATE TABLE command (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT    NOT NULL UNIQUE,
    edge     TEXT    NOT NULL,
    who      TEXT    NOT NULL,
    why      TEXT    NOT NULL,
    issued   INTEGER NOT NULL,
    expires  INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    event    TEXT,             -- release_original: whose original,
    until    INTEGER,          -- and until when
    document TEXT    NOT NULL, -- the command as it is sent
    change   INTEGER NOT NULL
) STRICT;
CREATE INDEX command_by_expires ON command (expires);
CREATE INDEX command_by_event ON command (event);
CREATE INDEX command_by_change ON command (change);

-- The box's first answer to each command. Only added to.
CREATE TABLE reply (
    command  TEXT    PRIMARY KEY REFERENCES command (id),
    time     INTEGER NOT NULL, -- by the box's clock
    received INTEGER NOT NULL,
    outcome  TEXT    NOT NULL,
    reason   TEXT,
    detail   TEXT,
    document TEXT    NOT NULL,
    change   INTEGER NOT NULL
) STRICT;
CREATE INDEX reply_by_change ON reply (change);

CREATE TRIGGER command_stays BEFORE DELETE ON command BEGIN SELECT raise(ABORT, 'commands are never deleted'); END;
CREATE TRIGGER command_is_fixed BEFORE UPDATE ON command BEGIN SELECT raise(ABORT, 'commands are never changed'); END;
CREATE TRIGGER reply_stays BEFORE DELETE ON reply BEGIN SELECT raise(ABORT, 'replies are never deleted'); END;
CREATE TRIGGER reply_is_fixed BEFORE UPDATE ON reply BEGIN SELECT raise(ABORT, 'replies are never changed'); END;
CREATE TRIGGER deletion_stays BEFORE DELETE ON deletion BEGIN SELECT raise(ABORT, 'deletions are never deleted'); END;
CREATE TRIGGER deletion_is_fixed BEFORE UPDATE ON deletion BEGIN SELECT raise(ABORT, 'deletions are never changed'); END;
