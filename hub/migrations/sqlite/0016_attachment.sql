-- Files that people add to incidents. The bytes are below attachments/ in data_dir, named by `id`.
CREATE TABLE attachment (
    incident   TEXT    NOT NULL REFERENCES incident (id),
    number     INTEGER NOT NULL, -- its place among those of its incident, from 1
    id         TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    sha256     TEXT    NOT NULL,
    time       INTEGER NOT NULL,
    person     TEXT    NOT NULL,
    who        TEXT    NOT NULL, -- as records name them
    gone       INTEGER,          -- when its bytes were deleted,
    cause      TEXT,             -- and why
    PRIMARY KEY (incident, number)
) STRICT;
CREATE INDEX attachment_kept ON attachment (incident) WHERE gone IS NULL;
CREATE TRIGGER attachment_is_fixed BEFORE UPDATE ON attachment
    WHEN NOT (old.gone IS NULL AND new.gone IS NOT NULL AND new.cause IS NOT NULL
        AND new.incident = old.incident AND new.number = old.number AND new.id = old.id AND new.name = old.name
        AND new.media_type = old.media_type AND new.bytes = old.bytes AND new.sha256 = old.sha256
        AND new.time = old.time AND new.person = old.person AND new.who = old.who)
    BEGIN SELECT raise(ABORT, 'attachments are never changed, only their bytes deleted'); END;
CREATE TRIGGER attachment_stays BEFORE DELETE ON attachment
    WHEN old.gone IS NULL OR old.time >= (SELECT moment FROM record_horizon)
    BEGIN SELECT raise(ABORT, 'attachments are never deleted before their time'); END;

-- Files that may be there and belong to nothing: one that is being written, or was withdrawn. After that moment they are deleted.
CREATE TABLE attachment_stray (
    id    TEXT    PRIMARY KEY,
    after INTEGER NOT NULL
) STRICT;

-- Attachments that were looked at in an opening, when first. Only added to.
CREATE TABLE viewed_attachment (
    viewing    TEXT    NOT NULL REFERENCES viewing (id),
    incident   TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    sha256     TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    time       INTEGER NOT NULL,
    PRIMARY KEY (viewing, incident, number)
) STRICT;
CREATE TRIGGER viewed_attachment_stays BEFORE DELETE ON viewed_attachment WHEN old.time >= (SELECT moment FROM record_horizon)
    BEGIN SELECT raise(ABORT, 'viewed attachments are never deleted before their time'); END;
CREATE TRIGGER viewed_attachment_is_fixed BEFORE UPDATE ON viewed_attachment
    BEGIN SELECT raise(ABORT, 'viewed attachments are never changed'); END;

-- What is deleted is evidence of an event, or an attachment of an incident.
CREATE TABLE deletion_of_either (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    time       INTEGER NOT NULL,
    event      TEXT,
    sha256     TEXT    NOT NULL,
    edge       TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    received   INTEGER NOT NULL,
    cause      TEXT    NOT NULL, -- released_until: its end was set by the command; age: kept as long as configured; withdrawn: by a person
    command    TEXT,
    incident   TEXT,
    attachment INTEGER           -- its number there
) STRICT;
INSERT INTO deletion_of_either (number, time, event, sha256, edge, media_type, bytes, received, cause, command)
    SELECT number, time, event, sha256, edge, media_type, bytes, received, cause, command FROM deletion;
DROP TRIGGER deletion_stays;
DROP TABLE deletion;
ALTER TABLE deletion_of_either RENAME TO deletion;
CREATE INDEX deletion_by_evidence ON deletion (event, sha256);
CREATE TRIGGER deletion_stays BEFORE DELETE ON deletion WHEN old.time >= (SELECT moment FROM record_horizon)
    BEGIN SELECT raise(ABORT, 'deletions are never deleted before their time'); END;
CREATE TRIGGER deletion_is_fixed BEFORE UPDATE ON deletion BEGIN SELECT raise(ABORT, 'deletions are never changed'); END;
