-- Certificates of the identity provider that somebody removed: none of them comes back by itself.
CREATE TABLE removed_certificates (
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    fingerprint TEXT COLLATE "C" NOT NULL,
    removed_by TEXT COLLATE "C" NOT NULL,
    removed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (space_id, fingerprint)
);

-- Messages that prove nothing, which anybody can send any number of: counted by door, owner (the
-- space or account they were for) and cause, so that there are never more rows than causes.
-- `detail` is JSON about the last one; `told_at` is when the audit log heard of them last.
CREATE TABLE refused_messages (
    door TEXT COLLATE "C" NOT NULL,
    owner_id BIGINT NOT NULL,
    cause TEXT COLLATE "C" NOT NULL,
    times BIGINT NOT NULL,
    first_at TIMESTAMPTZ NOT NULL,
    last_at TIMESTAMPTZ NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C",
    told_at TIMESTAMPTZ,
    PRIMARY KEY (door, owner_id, cause)
);
CREATE INDEX refused_messages_last ON refused_messages (last_at);
