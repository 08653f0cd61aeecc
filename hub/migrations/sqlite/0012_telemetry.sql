-- How each box fared: what its reports of five minutes (width_s = 300), and of an hour (3600), say together. Amounts are kept as how many,
-- sum, least and greatest, so that what two hubs heard of one box is added up. Hours are kept for longer.
CREATE TABLE telemetry_box (
    edge              TEXT    NOT NULL,
    width_s           INTEGER NOT NULL,
    start             INTEGER NOT NULL,
    reports           INTEGER NOT NULL,
    last_time         INTEGER NOT NULL, -- when the last report came; boot and uptime are that one's
    boot              TEXT    NOT NULL,
    uptime_ms         INTEGER NOT NULL,
    temperature_count INTEGER NOT NULL, -- thousandths of a degree Celsius
    temperature_sum   INTEGER NOT NULL,
    temperature_min   INTEGER,
    temperature_max   INTEGER,
    inference_count   INTEGER NOT NULL, -- microseconds
    inference_sum     INTEGER NOT NULL,
    inference_min     INTEGER,
    inference_max     INTEGER,
    load_count        INTEGER NOT NULL, -- thousandths
    load_sum          INTEGER NOT NULL,
    load_min          INTEGER,
    load_max          INTEGER,
    queued_count      INTEGER NOT NULL, -- messages
    queued_sum        INTEGER NOT NULL,
    queued_min        INTEGER,
    queued_max        INTEGER,
    disk_count        INTEGER NOT NULL, -- free bytes
    disk_sum          INTEGER NOT NULL,
    disk_min          INTEGER,
    disk_max          INTEGER,
    PRIMARY KEY (edge, width_s, start)
) STRICT, WITHOUT ROWID;

-- The same of each camera. Frames are those since the start of the daemon, as the last report has them.
CREATE TABLE telemetry_camera (
    edge      TEXT    NOT NULL,
    width_s   INTEGER NOT NULL,
    start     INTEGER NOT NULL,
    camera    TEXT    NOT NULL,
    reports   INTEGER NOT NULL,
    streaming INTEGER NOT NULL, -- reports in which there was a picture
    last_time INTEGER NOT NULL,
    sampled   INTEGER NOT NULL, -- frames taken for analysis
    looked_at INTEGER NOT NULL, -- of them, those that something looked at
    PRIMARY KEY (edge, width_s, start, camera)
) STRICT, WITHOUT ROWID;

-- How each box (camera = '') and each camera stands, and since when.
CREATE TABLE telemetry_standing (
    edge   TEXT    NOT NULL,
    camera TEXT    NOT NULL,
    state  TEXT    NOT NULL,
    reason TEXT,
    since  INTEGER NOT NULL,
    PRIMARY KEY (edge, camera)
) STRICT, WITHOUT ROWID;

-- How that changed.
CREATE TABLE telemetry_change (
    edge   TEXT    NOT NULL,
    time   INTEGER NOT NULL,
    camera TEXT    NOT NULL,
    state  TEXT    NOT NULL,
    reason TEXT,
    PRIMARY KEY (edge, time, camera)
) STRICT, WITHOUT ROWID;
