-- Certificates of the identity provider that somebody removed: none of them comes back by itself.
CREATE TABLE removed_certificates (
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    fingerprint TEXT NOT NULL,
    removed_by TEXT NOT NULL,
    removed_at TEXT NOT NULL,
    PRIMARY KEY (space_id, fingerprint)
) STRICT;

-- Messages that prove nothing, which anybody can send any number of: counted by door, owner (the
-- space or account they were for) and cause, so that there are never more rows than causes.
-- `detail` is JSON about the last one; `told_at` is when the audit log heard of them last.
CREATE TABLE refused_messages (
    door TEXT NOT NULL,
    owner_id INTEGER NOT NULL,
    cause TEXT NOT NULL,
    times INTEGER NOT NULL,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    detail TEXT NOT NULL,
    request_id TEXT NOT NULL,
    address TEXT,
    told_at TEXT,
    PRIMARY KEY (door, owner_id, cause)
) STRICT;
CREATE INDEX refused_messages_last ON refused_messages (last_at);
