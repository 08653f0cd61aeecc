-- The plan of a site: what is placed on it, as JSON as the API has it.
CREATE TABLE plan (
    site    TEXT    PRIMARY KEY REFERENCES site (site),
    version INTEGER NOT NULL, -- number of its last change
    changed INTEGER NOT NULL,
    person  TEXT    NOT NULL, -- who changed it last
    placed  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Its picture, apart: whoever asks what is placed on it does not read megabytes.
CREATE TABLE plan_picture (
    site       TEXT    PRIMARY KEY REFERENCES plan (site),
    kind       TEXT    NOT NULL,
    width_px   INTEGER NOT NULL,
    height_px  INTEGER NOT NULL,
    byte_count INTEGER NOT NULL,
    sha256     TEXT    NOT NULL,
    content    BLOB    NOT NULL
) STRICT;
