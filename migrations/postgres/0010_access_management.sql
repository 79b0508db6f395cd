-- What an account's access management tells of its users, keys, roles and policies besides.
-- `tags` is a JSON object. `boundary_policy_id` is a policy beyond which the role's own do not reach.
ALTER TABLE cloud_users ADD COLUMN phone_number TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE cloud_users ADD COLUMN country_code TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE cloud_users ADD COLUMN email TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE cloud_users ADD COLUMN last_login_at TIMESTAMPTZ;
ALTER TABLE cloud_users ADD COLUMN last_login_address TEXT COLLATE "C";
ALTER TABLE cloud_access_keys ADD COLUMN description TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE cloud_roles ADD COLUMN tags TEXT COLLATE "C" NOT NULL DEFAULT '{}';
ALTER TABLE cloud_roles ADD COLUMN boundary_policy_id BIGINT;
ALTER TABLE cloud_policies ADD COLUMN tags TEXT COLLATE "C" NOT NULL DEFAULT '{}';

-- What a role session was opened with: the CAM user who assumed the role, if that is how, a policy
-- that narrows it, and its tags.
ALTER TABLE cloud_role_sessions ADD COLUMN assumed_by BIGINT;
ALTER TABLE cloud_role_sessions ADD COLUMN session_policy TEXT COLLATE "C";
ALTER TABLE cloud_role_sessions ADD COLUMN tags TEXT COLLATE "C" NOT NULL DEFAULT '{}';
CREATE INDEX cloud_role_sessions_assumed_by ON cloud_role_sessions (assumed_by)
    WHERE revoked_at IS NULL;

-- Temporary credentials that a CAM user had made for somebody else: the user's own policies,
-- narrowed by `policy`.
CREATE TABLE cloud_federation_sessions (
    id BIGINT PRIMARY KEY,
    user_uin BIGINT NOT NULL REFERENCES cloud_users (uin) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    policy TEXT COLLATE "C" NOT NULL,
    secret_id TEXT COLLATE "C" NOT NULL,
    secret_key_sealed BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX cloud_federation_sessions_secret ON cloud_federation_sessions (secret_id);
CREATE INDEX cloud_federation_sessions_user ON cloud_federation_sessions (user_uin);
CREATE INDEX cloud_federation_sessions_expiry ON cloud_federation_sessions (expires_at);

-- What became of the wish to delete a service-linked role. An empty reason: it is deleted.
CREATE TABLE cloud_role_deletions (
    id BIGINT PRIMARY KEY,
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    role_name TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX cloud_role_deletions_account ON cloud_role_deletions (account_uin, role_name);
