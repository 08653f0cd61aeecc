-- The plan of a site: what is placed on it, as JSON as the API has it.
CREATE TABLE plan (
    site    TEXT COLLATE "C" PRIMARY KEY REFERENCES site (site),
    version BIGINT           NOT NULL, -- number of its last change
    changed BIGINT           NOT NULL,
    person  TEXT COLLATE "C" NOT NULL, -- who changed it last
    placed  TEXT COLLATE "C" NOT NULL
);

-- Its picture, apart: whoever asks what is placed on it does not read megabytes.
CREATE TABLE plan_picture (
    site       TEXT COLLATE "C" PRIMARY KEY REFERENCES plan (site),
    kind       TEXT COLLATE "C" NOT NULL,
    width_px   BIGINT           NOT NULL,
    height_px  BIGINT           NOT NULL,
    byte_count BIGINT           NOT NULL,
    sha256     TEXT COLLATE "C" NOT NULL,
    content    BYTEA            NOT NULL
);
