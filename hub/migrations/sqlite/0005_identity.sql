-- Codes by which boxes may enrol, once each. Of a code only its SHA-256.
CREATE TABLE enrolment_code (
    hash    TEXT    PRIMARY KEY,
    edge    TEXT    NOT NULL,
    made    INTEGER NOT NULL,
    until   INTEGER NOT NULL, -- useless from then on
    used    INTEGER           -- when it let its box in
) STRICT;
CREATE INDEX enrolment_code_by_edge ON enrolment_code (edge);

-- Every certificate a box was given. One that is not here does not count.
CREATE TABLE certificate (
    fingerprint TEXT    PRIMARY KEY, -- SHA-256 of its DER
    serial      TEXT    NOT NULL,
    edge        TEXT    NOT NULL,
    issued      INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    revoked     INTEGER,             -- does not count from then on,
    cause       TEXT                 -- revoked: by a person; replaced: its box enrolled anew
) STRICT;
CREATE INDEX certificate_by_edge ON certificate (edge);
CREATE INDEX certificate_by_revoked ON certificate (until) WHERE revoked IS NOT NULL;

CREATE TRIGGER certificate_stays BEFORE DELETE ON certificate BEGIN SELECT raise(ABORT, 'certificates are never deleted'); END;
CREATE TRIGGER certificate_stays_revoked BEFORE UPDATE ON certificate WHEN old.revoked IS NOT NULL
BEGIN SELECT raise(ABORT, 'a revocation is never taken back'); END;
