-- By what people are known to the provider of sign-ins (OpenID Connect).
CREATE TABLE provider_link (
    person  TEXT COLLATE "C" PRIMARY KEY REFERENCES person (name),
    name    TEXT COLLATE "C" NOT NULL UNIQUE, -- what the provider calls them; it counts until somebody has come by it
    issuer  TEXT COLLATE "C",                 -- from then on these two do
    subject TEXT COLLATE "C",
    bound   BIGINT,                           -- since when
    CHECK ((issuer IS NULL) = (subject IS NULL) AND (issuer IS NULL) = (bound IS NULL)),
    UNIQUE (issuer, subject)
);
