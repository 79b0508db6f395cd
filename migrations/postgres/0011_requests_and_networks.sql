-- Names that spaces had before. Their addresses lead to the new ones, so nobody else gets them
-- (ACT-06).
CREATE TABLE space_former_names (
    name TEXT COLLATE "C" PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    given_up_at TIMESTAMPTZ NOT NULL
);

-- The networks that people may come to a portal from (SET-10): a JSON list; empty lets everybody.
ALTER TABLE spaces ADD COLUMN sign_in_networks TEXT COLLATE "C" NOT NULL DEFAULT '[]';

-- When an assignment ends by itself; null where it does not.
ALTER TABLE assignments ADD COLUMN ends_at TIMESTAMPTZ;
CREATE INDEX assignments_ends ON assignments (ends_at) WHERE ends_at IS NOT NULL;

-- Who may ask for which configuration on which account. What no row names nobody may ask for.
CREATE TABLE access_request_scopes (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    principal_kind TEXT COLLATE "C" NOT NULL,
    principal_id BIGINT NOT NULL,
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    configuration_id BIGINT NOT NULL REFERENCES permission_configurations (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX access_request_scopes_triple
    ON access_request_scopes (principal_kind, principal_id, account_uin, configuration_id);
CREATE INDEX access_request_scopes_space ON access_request_scopes (space_id, id);
CREATE INDEX access_request_scopes_configuration ON access_request_scopes (configuration_id);

-- Requests of users for access for a while. `seconds` is how long they ask for it, `decided_by` who
-- decided, `ends_at` when what was granted ends. The user's name outlives the user.
CREATE TABLE access_requests (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    user_id BIGINT NOT NULL,
    user_name TEXT COLLATE "C" NOT NULL,
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    reason TEXT COLLATE "C" NOT NULL,
    seconds BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    decided_by TEXT COLLATE "C",
    opinion TEXT COLLATE "C" NOT NULL,
    decided_at TIMESTAMPTZ,
    ends_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX access_requests_space ON access_requests (space_id, id);
CREATE INDEX access_requests_user ON access_requests (user_id, id);

-- What a request is for. A configuration's name outlives the configuration.
CREATE TABLE access_request_items (
    request_id BIGINT NOT NULL REFERENCES access_requests (id) ON DELETE CASCADE,
    configuration_id BIGINT NOT NULL,
    configuration_name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (request_id, configuration_id)
);
