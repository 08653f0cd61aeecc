-- Who may do what, and where.

-- People with an account. Never deleted, so that a name in the records always means the same person; disabled instead.
CREATE TABLE person (
    name           TEXT    PRIMARY KEY,
    display_name   TEXT    NOT NULL,
    all_sites      INTEGER NOT NULL,           -- 0: only those in person_site
    disabled       INTEGER NOT NULL DEFAULT 0,
    password       TEXT,                       -- argon2id in PHC form; none before the first one is set
    factor         BLOB,                       -- key of the second factor
    factor_step    INTEGER NOT NULL DEFAULT 0, -- the time step of the last code that counted: none counts twice
    factor_wanted  BLOB,                       -- a key that its owner has not confirmed yet
    last_sign_in   INTEGER
) STRICT;

CREATE TABLE person_role (
    person TEXT NOT NULL REFERENCES person (name),
    role   TEXT NOT NULL,
    PRIMARY KEY (person, role)
) STRICT, WITHOUT ROWID;

-- Places with boxes, such as one school. A box belongs to one at most; one that belongs to none is for people of all sites.
CREATE TABLE site (
    site  TEXT PRIMARY KEY,
    label TEXT NOT NULL
) STRICT;

CREATE TABLE site_edge (
    edge TEXT PRIMARY KEY,
    site TEXT NOT NULL REFERENCES site (site)
) STRICT, WITHOUT ROWID;
CREATE INDEX site_edge_by_site ON site_edge (site);

CREATE TABLE person_site (
    person TEXT NOT NULL REFERENCES person (name),
    site   TEXT NOT NULL REFERENCES site (site),
    PRIMARY KEY (person, site)
) STRICT, WITHOUT ROWID;

-- One-time links by which a password is set. Of the token only its SHA-256.
CREATE TABLE invitation (
    hash   TEXT    PRIMARY KEY,
    person TEXT    NOT NULL REFERENCES person (name),
    until  INTEGER NOT NULL, -- useless from then on
    used   INTEGER           -- when it set a password
) STRICT;
CREATE INDEX invitation_by_person ON invitation (person);

-- Who is signed in. Of the token only its SHA-256; a row goes when its session ends.
CREATE TABLE session (
    hash   TEXT    PRIMARY KEY,
    person TEXT    NOT NULL REFERENCES person (name),
    until  INTEGER NOT NULL,
    used   INTEGER NOT NULL -- to the minute
) STRICT;
CREATE INDEX session_by_person ON session (person);

-- Failed sign-ins since the last good one, by the name that was given, whether there is such a person or not.
CREATE TABLE sign_in_failure (
    name     TEXT    PRIMARY KEY,
    failures INTEGER NOT NULL,
    last     INTEGER NOT NULL
) STRICT;

-- What was done to accounts and with them. Only added to.
CREATE TABLE access_record (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    time    INTEGER NOT NULL,
    name    TEXT,             -- whose account it is about
    actor   TEXT,             -- who did it, when that was somebody else
    action  TEXT    NOT NULL,
    address TEXT,
    detail  TEXT
) STRICT;
CREATE TRIGGER access_record_stays BEFORE DELETE ON access_record BEGIN SELECT raise(ABORT, 'access records are never deleted'); END;
CREATE TRIGGER access_record_is_fixed BEFORE UPDATE ON access_record BEGIN SELECT raise(ABORT, 'access records are never changed'); END;
CREATE TRIGGER person_stays BEFORE DELETE ON person BEGIN SELECT raise(ABORT, 'people are never deleted: disable them'); END;
