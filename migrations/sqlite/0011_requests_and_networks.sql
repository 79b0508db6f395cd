-- Names that spaces had before. Their addresses lead to the new ones, so nobody else gets them
-- (ACT-06).
CREATE TABLE space_former_names (
    name TEXT PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    given_up_at TEXT NOT NULL
) STRICT;

-- The networks that people may come to a portal from (SET-10): a JSON list; empty lets everybody.
ALTER TABLE spaces ADD COLUMN sign_in_networks TEXT NOT NULL DEFAULT '[]';

-- When an assignment ends by itself; null where it does not.
ALTER TABLE assignments ADD COLUMN ends_at TEXT;
CREATE INDEX assignments_ends ON assignments (ends_at) WHERE ends_at IS NOT NULL;

-- Who may ask for which configuration on which account. What no row names nobody may ask for.
CREATE TABLE access_request_scopes (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    principal_kind TEXT NOT NULL,
    principal_id INTEGER NOT NULL,
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    configuration_id INTEGER NOT NULL REFERENCES permission_configurations (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX access_request_scopes_triple
    ON access_request_scopes (principal_kind, principal_id, account_uin, configuration_id);
CREATE INDEX access_request_scopes_space ON access_request_scopes (space_id, id);
CREATE INDEX access_request_scopes_configuration ON access_request_scopes (configuration_id);

-- Requests of users for access for a while. `seconds` is how long they ask for it, `decided_by` who
-- decided, `ends_at` when what was granted ends. The user's name outlives the user.
CREATE TABLE access_requests (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    user_id INTEGER NOT NULL,
    user_name TEXT NOT NULL,
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    reason TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    state TEXT NOT NULL,
    decided_by TEXT,
    opinion TEXT NOT NULL,
    decided_at TEXT,
    ends_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX access_requests_space ON access_requests (space_id, id);
CREATE INDEX access_requests_user ON access_requests (user_id, id);

-- What a request is for. A configuration's name outlives the configuration.
CREATE TABLE access_request_items (
    request_id INTEGER NOT NULL REFERENCES access_requests (id) ON DELETE CASCADE,
    configuration_id INTEGER NOT NULL,
    configuration_name TEXT NOT NULL,
    PRIMARY KEY (request_id, configuration_id)
) STRICT;
