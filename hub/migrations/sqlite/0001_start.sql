-- Times are nanoseconds since 1970 UTC, ids the text of their ULID.

-- Every change a page has to hear of gets the next number, in the transaction that makes the change; the row
-- that changed keeps the number of its last change. A page that knows number N asks for everything above it.
CREATE TABLE change_number (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    last     INTEGER NOT NULL
) STRICT;
INSERT INTO change_number VALUES (1, 0);

-- Every event, as it came. Deduplicated by id; never updated except for `snapshot`.
CREATE TABLE event (
    number            INTEGER PRIMARY KEY AUTOINCREMENT, -- order of storing
    id                TEXT    NOT NULL UNIQUE,
    edge              TEXT    NOT NULL,
    boot              TEXT    NOT NULL,
    seq               INTEGER NOT NULL,
    time              INTEGER NOT NULL,
    received          INTEGER NOT NULL,
    kind              TEXT    NOT NULL,
    severity          INTEGER NOT NULL,
    alarm             TEXT,
    phase             TEXT,
    sequence_conflict INTEGER NOT NULL, -- 1: its (edge, boot, seq) was already taken by another event
    snapshot          TEXT,             -- SHA-256 of the first picture of it that arrived
    envelope          TEXT    NOT NULL
) STRICT;
CREATE INDEX event_by_edge ON event (edge, number);
CREATE INDEX event_by_boot ON event (edge, boot, number);

-- One row per alarm: what its events say together. The moments (phase, time, event) decide what wins when
-- events come late or out of order.
CREATE TABLE alarm (
    id              TEXT    PRIMARY KEY,
    edge            TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    camera          TEXT,
    zone            TEXT,
    rule            TEXT,
    object          TEXT,
    cause           TEXT,
    detail          TEXT,
    severity        INTEGER NOT NULL,
    events          INTEGER NOT NULL,
    first_phase     TEXT    NOT NULL,
    first_time      INTEGER NOT NULL,
    first_event     TEXT    NOT NULL,
    latest_phase    TEXT    NOT NULL,
    latest_time     INTEGER NOT NULL,
    latest_event    TEXT    NOT NULL,
    snapshot_phase  TEXT,
    snapshot_time   INTEGER,
    snapshot_event  TEXT,
    received        INTEGER NOT NULL,
    -- Where it stands in lists: when it began, but never later than it was heard of, so that a wrong clock
    -- cannot pin an alarm to the top.
    placed          INTEGER NOT NULL,
    change          INTEGER NOT NULL
) STRICT;
CREATE INDEX alarm_by_place ON alarm (placed, id);
CREATE INDEX alarm_by_edge ON alarm (edge, placed, id);
CREATE INDEX alarm_by_camera ON alarm (camera, placed, id);
CREATE UNIQUE INDEX alarm_by_change ON alarm (change);

-- Pictures on disk, below evidence/. `waiting`: its event has not come yet, so nothing vouches for it.
CREATE TABLE evidence (
    event    TEXT    NOT NULL,
    sha256   TEXT    NOT NULL,
    edge     TEXT    NOT NULL,
    bytes    INTEGER NOT NULL,
    received INTEGER NOT NULL,
    waiting  INTEGER NOT NULL,
    PRIMARY KEY (event, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_by_hash ON evidence (sha256);
CREATE INDEX evidence_waiting ON evidence (edge) WHERE waiting = 1;

-- What each edge last said of itself.
CREATE TABLE device (
    edge          TEXT    PRIMARY KEY,
    presence      TEXT    NOT NULL DEFAULT 'unknown',
    presence_boot TEXT,
    last_seen     INTEGER NOT NULL,
    health        TEXT,
    refused       INTEGER NOT NULL DEFAULT 0,
    change        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX device_by_change ON device (change);

-- What people call a camera (zone = '') or an area of it; kept after the edge forgets it, for old alarms.
CREATE TABLE label (
    edge   TEXT NOT NULL,
    camera TEXT NOT NULL,
    zone   TEXT NOT NULL,
    label  TEXT NOT NULL,
    PRIMARY KEY (edge, camera, zone)
) STRICT, WITHOUT ROWID;

-- How far an edge says it got in one start of its daemon.
CREATE TABLE boot (
    edge      TEXT    NOT NULL,
    boot      TEXT    NOT NULL,
    announced INTEGER NOT NULL,
    PRIMARY KEY (edge, boot)
) STRICT, WITHOUT ROWID;

-- Which sequence numbers of a boot are stored: disjoint ranges that do not touch.
CREATE TABLE sequence (
    edge  TEXT    NOT NULL,
    boot  TEXT    NOT NULL,
    first INTEGER NOT NULL,
    last  INTEGER NOT NULL,
    PRIMARY KEY (edge, boot, first)
) STRICT, WITHOUT ROWID;

-- The gaps in `sequence` up to the highest number seen or announced, oldest first, at most 100 of a boot.
CREATE TABLE missing (
    edge  TEXT    NOT NULL,
    boot  TEXT    NOT NULL,
    first INTEGER NOT NULL,
    last  INTEGER NOT NULL,
    PRIMARY KEY (edge, boot, first)
) STRICT, WITHOUT ROWID;

-- Messages that were no use; only the newest are kept.
CREATE TABLE refused (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    received INTEGER NOT NULL,
    topic    TEXT    NOT NULL,
    edge     TEXT,
    reason   TEXT    NOT NULL,
    bytes    INTEGER NOT NULL,
    sha256   TEXT    NOT NULL,
    head     BLOB    NOT NULL
) STRICT;
