-- What somebody, or the source below, proposes for the identity provider of a space, to be looked
-- at before it counts. `content` is JSON: metadata and which entity of it, or values by hand. It
-- never changes: what is approved under an id is what was shown under it.
CREATE TABLE identity_provider_proposals (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    origin TEXT COLLATE "C" NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX identity_provider_proposals_space ON identity_provider_proposals (space_id, id);

-- Where the identity provider of a space publishes its metadata, and what came of fetching it.
-- `entity_id` is the one meant where there are several, `pins` JSON: the certificates, as PEM, of
-- which one must have signed. `dismissed` is the SHA-256 of what an administrator did not want.
CREATE TABLE identity_provider_sources (
    space_id BIGINT PRIMARY KEY REFERENCES spaces (id),
    url TEXT COLLATE "C" NOT NULL,
    entity_id TEXT COLLATE "C",
    pins TEXT COLLATE "C" NOT NULL,
    automatic BOOLEAN NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    fetched_at TIMESTAMPTZ,
    failed_at TIMESTAMPTZ,
    failure TEXT COLLATE "C",
    dismissed TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX identity_provider_sources_due ON identity_provider_sources (due_at);

-- Of two keys for one purpose, the one that signs; the other is prepared, or goes. Encryption keys
-- do not sign, and all have it set.
ALTER TABLE space_keys ADD COLUMN signs BOOLEAN NOT NULL DEFAULT TRUE;

-- Whether the metadata of a space is signed.
ALTER TABLE spaces ADD COLUMN sign_metadata BOOLEAN NOT NULL DEFAULT FALSE;

-- Which ends were warned of already: one row per thing and threshold, in days before its end.
CREATE TABLE expiry_warnings (
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    kind TEXT COLLATE "C" NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    days BIGINT NOT NULL,
    warned_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (space_id, kind, object, days)
);
