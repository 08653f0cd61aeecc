-- How each box fared: what its reports of five minutes (width_s = 300), and of an hour (3600), say together. Amounts are kept as how many,
-- sum, least and greatest, so that what two hubs heard of one box is added up. Hours are kept for longer.
CREATE TABLE telemetry_box (
    edge              TEXT COLLATE "C" NOT NULL,
    width_s           BIGINT           NOT NULL,
    start             BIGINT           NOT NULL,
    reports           BIGINT           NOT NULL,
    last_time         BIGINT           NOT NULL, -- when the last report came; boot and uptime are that one's
    boot              TEXT COLLATE "C" NOT NULL,
    uptime_ms         BIGINT           NOT NULL,
    temperature_count BIGINT           NOT NULL, -- thousandths of a degree Celsius
    temperature_sum   BIGINT           NOT NULL,
    temperature_min   BIGINT,
    temperature_max   BIGINT,
    inference_count   BIGINT           NOT NULL, -- microseconds
    inference_sum     BIGINT           NOT NULL,
    inference_min     BIGINT,
    inference_max     BIGINT,
    load_count        BIGINT           NOT NULL, -- thousandths
    load_sum          BIGINT           NOT NULL,
    load_min          BIGINT,
    load_max          BIGINT,
    queued_count      BIGINT           NOT NULL, -- messages
    queued_sum        BIGINT           NOT NULL,
    queued_min        BIGINT,
    queued_max        BIGINT,
    disk_count        BIGINT           NOT NULL, -- free bytes
    disk_sum          BIGINT           NOT NULL,
    disk_min          BIGINT,
    disk_max          BIGINT,
    PRIMARY KEY (edge, width_s, start)
);

-- The same of each camera. Frames are those since the start of the daemon, as the last report has them.
CREATE TABLE telemetry_camera (
    edge      TEXT COLLATE "C" NOT NULL,
    width_s   BIGINT           NOT NULL,
    start     BIGINT           NOT NULL,
    camera    TEXT COLLATE "C" NOT NULL,
    reports   BIGINT           NOT NULL,
    streaming BIGINT           NOT NULL, -- reports in which there was a picture
    last_time BIGINT           NOT NULL,
    sampled   BIGINT           NOT NULL, -- frames taken for analysis
    looked_at BIGINT           NOT NULL, -- of them, those that something looked at
    PRIMARY KEY (edge, width_s, start, camera)
);

-- How each box (camera = '') and each camera stands, and since when.
CREATE TABLE telemetry_standing (
    edge   TEXT COLLATE "C" NOT NULL,
    camera TEXT COLLATE "C" NOT NULL,
    state  TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    since  BIGINT           NOT NULL,
    PRIMARY KEY (edge, camera)
);

-- How that changed.
CREATE TABLE telemetry_change (
    edge   TEXT COLLATE "C" NOT NULL,
    time   BIGINT           NOT NULL,
    camera TEXT COLLATE "C" NOT NULL,
    state  TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    PRIMARY KEY (edge, time, camera)
);
