-- Where the identity provider takes logout messages, as JSON; empty: nowhere.
ALTER TABLE identity_providers ADD COLUMN single_logout TEXT NOT NULL DEFAULT '{}';

-- The identity provider's sessions that sessions of ours came from: how it named the person and its
-- session, as logout must say it back. What ends there ends here: our tickets and sessions go with
-- the row.
CREATE TABLE identity_provider_sessions (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    name_id TEXT NOT NULL,
    name_id_format TEXT,
    name_qualifier TEXT,
    sp_name_qualifier TEXT,
    session_index TEXT,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX identity_provider_sessions_name ON identity_provider_sessions (space_id, name_id);
CREATE INDEX identity_provider_sessions_user ON identity_provider_sessions (user_id);
CREATE INDEX identity_provider_sessions_expiry ON identity_provider_sessions (expires_at);
ALTER TABLE login_tickets ADD COLUMN idp_session_id INTEGER
    REFERENCES identity_provider_sessions (id) ON DELETE CASCADE;
CREATE INDEX login_tickets_idp_session ON login_tickets (idp_session_id);
ALTER TABLE sessions ADD COLUMN idp_session_id INTEGER
    REFERENCES identity_provider_sessions (id) ON DELETE CASCADE;
CREATE INDEX sessions_idp_session ON sessions (idp_session_id);

-- Logout requests of the identity provider that were obeyed, until they are too old to come again:
-- none counts twice, and an assertion from before it that arrives after it opens nothing.
-- `session_indexes` is a JSON list; an empty one means every session of that name.
CREATE TABLE received_logouts (
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    issuer TEXT NOT NULL,
    message_id TEXT NOT NULL,
    name_id TEXT NOT NULL,
    session_indexes TEXT NOT NULL,
    issued_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (space_id, issuer, message_id)
) STRICT;
CREATE INDEX received_logouts_name ON received_logouts (space_id, name_id);
CREATE INDEX received_logouts_expiry ON received_logouts (expires_at);

-- Single logouts that began here: one row per LogoutRequest of ours. `entity_id` is the identity
-- provider it went to, `binding_hash` the SHA-256 of the cookie of the browser that began, and
-- `state` what came of it; the identity provider says so once.
CREATE TABLE logout_requests (
    id TEXT PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    user_id INTEGER NOT NULL,
    entity_id TEXT NOT NULL,
    binding_hash BLOB NOT NULL,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX logout_requests_expiry ON logout_requests (expires_at);
