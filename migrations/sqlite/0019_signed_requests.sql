-- Signed requests that change something, for as long as their signature holds: none is carried out
-- again later. Of a request only the SHA-256 of its key's id and signature is kept.
CREATE TABLE signed_requests (
    digest BLOB PRIMARY KEY,
    seen_at TEXT NOT NULL
) STRICT;
CREATE INDEX signed_requests_seen ON signed_requests (seen_at);
