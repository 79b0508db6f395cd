-- What an account's access management tells of its users, keys, roles and policies besides.
-- `tags` is a JSON object. `boundary_policy_id` is a policy beyond which the role's own do not reach.
ALTER TABLE cloud_users ADD COLUMN phone_number TEXT NOT NULL DEFAULT '';
ALTER TABLE cloud_users ADD COLUMN country_code TEXT NOT NULL DEFAULT '';
ALTER TABLE cloud_users ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE cloud_users ADD COLUMN last_login_at TEXT;
ALTER TABLE cloud_users ADD COLUMN last_login_address TEXT;
ALTER TABLE cloud_access_keys ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE cloud_roles ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
ALTER TABLE cloud_roles ADD COLUMN boundary_policy_id INTEGER;
ALTER TABLE cloud_policies ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';

-- What a role session was opened with: the CAM user who assumed the role, if that is how, a policy
-- that narrows it, and its tags.
ALTER TABLE cloud_role_sessions ADD COLUMN assumed_by INTEGER;
ALTER TABLE cloud_role_sessions ADD COLUMN session_policy TEXT;
ALTER TABLE cloud_role_sessions ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
CREATE INDEX cloud_role_sessions_assumed_by ON cloud_role_sessions (assumed_by)
    WHERE revoked_at IS NULL;

-- Temporary credentials that a CAM user had made for somebody else: the user's own policies,
-- narrowed by `policy`.
CREATE TABLE cloud_federation_sessions (
    id INTEGER PRIMARY KEY,
    user_uin INTEGER NOT NULL REFERENCES cloud_users (uin) ON DELETE CASCADE,
    name TEXT NOT NULL,
    policy TEXT NOT NULL,
    secret_id TEXT NOT NULL,
    secret_key_sealed BLOB NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;
CREATE UNIQUE INDEX cloud_federation_sessions_secret ON cloud_federation_sessions (secret_id);
CREATE INDEX cloud_federation_sessions_user ON cloud_federation_sessions (user_uin);
CREATE INDEX cloud_federation_sessions_expiry ON cloud_federation_sessions (expires_at);

-- What became of the wish to delete a service-linked role. An empty reason: it is deleted.
CREATE TABLE cloud_role_deletions (
    id INTEGER PRIMARY KEY,
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    role_name TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX cloud_role_deletions_account ON cloud_role_deletions (account_uin, role_name);
