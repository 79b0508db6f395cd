-- What somebody, or the source below, proposes for the identity provider of a space, to be looked
-- at before it counts. `content` is JSON: metadata and which entity of it, or values by hand. It
-- never changes: what is approved under an id is what was shown under it.
CREATE TABLE identity_provider_proposals (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    origin TEXT NOT NULL,
    content TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX identity_provider_proposals_space ON identity_provider_proposals (space_id, id);

-- Where the identity provider of a space publishes its metadata, and what came of fetching it.
-- `entity_id` is the one meant where there are several, `pins` JSON: the certificates, as PEM, of
-- which one must have signed. `dismissed` is the SHA-256 of what an administrator did not want.
CREATE TABLE identity_provider_sources (
    space_id INTEGER PRIMARY KEY REFERENCES spaces (id),
    url TEXT NOT NULL,
    entity_id TEXT,
    pins TEXT NOT NULL,
    automatic INTEGER NOT NULL,
    due_at TEXT NOT NULL,
    fetched_at TEXT,
    failed_at TEXT,
    failure TEXT,
    dismissed TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX identity_provider_sources_due ON identity_provider_sources (due_at);

-- Of two keys for one purpose, the one that signs; the other is prepared, or goes. Encryption keys
-- do not sign, and all have it set.
ALTER TABLE space_keys ADD COLUMN signs INTEGER NOT NULL DEFAULT 1;

-- Whether the metadata of a space is signed.
ALTER TABLE spaces ADD COLUMN sign_metadata INTEGER NOT NULL DEFAULT 0;

-- Which ends were warned of already: one row per thing and threshold, in days before its end.
CREATE TABLE expiry_warnings (
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    days INTEGER NOT NULL,
    warned_at TEXT NOT NULL,
    PRIMARY KEY (space_id, kind, object, days)
) STRICT;
