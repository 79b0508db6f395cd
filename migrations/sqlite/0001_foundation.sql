-- An organisation: a tree of departments and the accounts in it.
CREATE TABLE organizations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX organizations_name ON organizations (name_key);

-- The departments of an organisation. The root has no parent; `node_id` is the small number by
-- which the public API knows a department.
CREATE TABLE departments (
    id INTEGER PRIMARY KEY,
    organization_id INTEGER NOT NULL REFERENCES organizations (id),
    node_id INTEGER NOT NULL,
    parent_id INTEGER REFERENCES departments (id),
    name TEXT NOT NULL,
    remark TEXT NOT NULL,
    depth INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX departments_node ON departments (node_id);
CREATE UNIQUE INDEX departments_name ON departments (parent_id, name);
CREATE INDEX departments_organization ON departments (organization_id);

-- Cloud accounts of an organisation: its one management account and its members.
CREATE TABLE accounts (
    uin INTEGER PRIMARY KEY,
    organization_id INTEGER NOT NULL REFERENCES organizations (id),
    department_id INTEGER NOT NULL REFERENCES departments (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    remark TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX accounts_name ON accounts (organization_id, name);
CREATE INDEX accounts_department ON accounts (department_id);

-- A space: everything of one organisation's Identity Center. One per organisation, and its name
-- is known to the whole installation because it stands in the user login URL.
CREATE TABLE spaces (
    id INTEGER PRIMARY KEY,
    organization_id INTEGER NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    user_sync_suffix TEXT NOT NULL,
    scim_enabled INTEGER NOT NULL,
    sso_enabled INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX spaces_organization ON spaces (organization_id);
CREATE UNIQUE INDEX spaces_name ON spaces (name);

-- Key pairs of a space: one as the service provider that people sign in at, one as the identity
-- provider towards the accounts. The private key is sealed with the master key.
CREATE TABLE space_keys (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    purpose TEXT NOT NULL,
    private_key_sealed BLOB NOT NULL,
    certificate TEXT NOT NULL,
    not_after TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX space_keys_space ON space_keys (space_id, purpose);

-- Users of the directory. `user_name_key` is the name with its ASCII letters folded. `active` is
-- what the directory said, `blocked` what an administrator decided here; a user may sign in when
-- active and not blocked. `document` is the SCIM resource as it was sent, for users SCIM made. A
-- user that SCIM deleted stays, with `deleted_at`, until the tasks that take its access away end.
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    source TEXT NOT NULL,
    user_name TEXT NOT NULL,
    user_name_key TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    description TEXT NOT NULL,
    active INTEGER NOT NULL,
    blocked INTEGER NOT NULL,
    external_id TEXT,
    document TEXT,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT
) STRICT;
CREATE UNIQUE INDEX users_name ON users (space_id, user_name_key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_email ON users (space_id, email_key)
    WHERE source = 'manual' AND email_key <> '' AND deleted_at IS NULL;
CREATE INDEX users_external_id ON users (space_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX users_space ON users (space_id, id);

-- Groups of the directory; columns as for users.
CREATE TABLE groups (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    description TEXT NOT NULL,
    external_id TEXT,
    document TEXT,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT
) STRICT;
CREATE UNIQUE INDEX groups_name ON groups (space_id, name_key) WHERE deleted_at IS NULL;
CREATE INDEX groups_external_id ON groups (space_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX groups_space ON groups (space_id, id);

-- Who is in which group.
CREATE TABLE group_members (
    group_id INTEGER NOT NULL REFERENCES groups (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    joined_at TEXT NOT NULL,
    PRIMARY KEY (group_id, user_id)
) STRICT;
CREATE INDEX group_members_user ON group_members (user_id, group_id);

-- Members that a directory named and that are no users of its making. They are echoed to the
-- directory and confer nothing.
CREATE TABLE dangling_group_members (
    group_id INTEGER NOT NULL REFERENCES groups (id),
    value TEXT NOT NULL,
    PRIMARY KEY (group_id, value)
) STRICT;

-- SCIM tokens: of each, only the SHA-256.
CREATE TABLE scim_credentials (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    token_hash BLOB NOT NULL,
    enabled INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX scim_credentials_token ON scim_credentials (token_hash);
CREATE INDEX scim_credentials_space ON scim_credentials (space_id);

-- The identity provider that the people of a space sign in at.
CREATE TABLE identity_providers (
    space_id INTEGER PRIMARY KEY REFERENCES spaces (id),
    entity_id TEXT NOT NULL,
    login_url TEXT NOT NULL,
    metadata TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

-- The certificates whose keys may sign that identity provider's messages.
CREATE TABLE identity_provider_certificates (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES identity_providers (space_id) ON DELETE CASCADE,
    certificate TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX identity_provider_certificates_fingerprint
    ON identity_provider_certificates (space_id, fingerprint);

-- Sign-ins under way: one row per AuthnRequest, taken when its response comes.
-- `entity_id` is the identity provider it went to, `binding_hash` the SHA-256 of the cookie of the
-- browser that began.
CREATE TABLE login_requests (
    id TEXT PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    entity_id TEXT NOT NULL,
    return_to TEXT NOT NULL,
    binding_hash BLOB NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX login_requests_expiry ON login_requests (expires_at);

-- The replay ledger: assertions that were accepted, until they have expired.
CREATE TABLE accepted_assertions (
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    issuer TEXT NOT NULL,
    assertion_id TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (space_id, issuer, assertion_id)
) STRICT;
CREATE INDEX accepted_assertions_expiry ON accepted_assertions (expires_at);

-- One-time tickets from the assertion consumer service to the same-site page behind it.
CREATE TABLE login_tickets (
    ticket_hash BLOB PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    attempt_id INTEGER NOT NULL,
    return_to TEXT NOT NULL,
    binding_hash BLOB NOT NULL,
    session_ends_at TEXT,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX login_tickets_expiry ON login_tickets (expires_at);

-- The sign-in trace: every attempt with each check and its verdict.
CREATE TABLE sign_in_attempts (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    user_id INTEGER,
    name_id TEXT,
    checks TEXT NOT NULL,
    request_id TEXT NOT NULL,
    address TEXT
) STRICT;
CREATE INDEX sign_in_attempts_space ON sign_in_attempts (space_id, id);

-- Sessions of every door. The id in the cookie is a secret: here is its SHA-256.
CREATE TABLE sessions (
    id_hash BLOB PRIMARY KEY,
    door TEXT NOT NULL,
    subject INTEGER,
    data TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_subject ON sessions (door, subject);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Permission configurations: templates of policies. `content` is what a deployment of it would say
-- now (policies and session duration, canonical), so that outdated deployments are found by comparison.
CREATE TABLE permission_configurations (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    description TEXT NOT NULL,
    session_duration INTEGER NOT NULL,
    relay_state TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX permission_configurations_name
    ON permission_configurations (space_id, name_key);
CREATE INDEX permission_configurations_space ON permission_configurations (space_id, id);

-- The policies of a configuration: presets by their number, custom ones with their document.
CREATE TABLE configuration_policies (
    configuration_id INTEGER NOT NULL REFERENCES permission_configurations (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    policy_id INTEGER NOT NULL,
    document TEXT,
    added_at TEXT NOT NULL,
    PRIMARY KEY (configuration_id, kind, name)
) STRICT;

-- Assignments: an identity has a configuration on an account. `removing` ones are on their way
-- out and confer nothing any more.
CREATE TABLE assignments (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    principal_kind TEXT NOT NULL,
    principal_id INTEGER NOT NULL,
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    configuration_id INTEGER NOT NULL REFERENCES permission_configurations (id),
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX assignments_triple
    ON assignments (account_uin, configuration_id, principal_kind, principal_id);
CREATE INDEX assignments_principal ON assignments (principal_kind, principal_id);
CREATE INDEX assignments_space ON assignments (space_id, id);
CREATE INDEX assignments_configuration ON assignments (configuration_id, account_uin);

-- Deployments: a configuration made real in one account. `deployed_content` is what was deployed,
-- for comparison with what the configuration says now; null until the first success.
CREATE TABLE deployments (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    configuration_id INTEGER NOT NULL REFERENCES permission_configurations (id),
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    state TEXT NOT NULL,
    deployed_content TEXT,
    reason TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX deployments_pair ON deployments (account_uin, configuration_id);
CREATE INDEX deployments_configuration ON deployments (configuration_id);
CREATE INDEX deployments_space ON deployments (space_id, id);

-- User syncs: an identity has a CAM user in an account. States as for assignments.
CREATE TABLE user_syncs (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    principal_kind TEXT NOT NULL,
    principal_id INTEGER NOT NULL,
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    description TEXT NOT NULL,
    duplication_strategy TEXT NOT NULL,
    deletion_strategy TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX user_syncs_pair ON user_syncs (account_uin, principal_kind, principal_id);
CREATE INDEX user_syncs_principal ON user_syncs (principal_kind, principal_id);
CREATE INDEX user_syncs_space ON user_syncs (space_id, id);

-- The CAM users that user syncs stand for: which user of the directory is which CAM user.
CREATE TABLE synced_users (
    user_id INTEGER NOT NULL REFERENCES users (id),
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    cam_user_name TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (user_id, account_uin)
) STRICT;
CREATE UNIQUE INDEX synced_users_name ON synced_users (account_uin, cam_user_name);

-- Tasks: steps towards an account. At most one with the same subject runs at a time. The payload
-- names things, it does not describe them.
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    payload TEXT NOT NULL,
    account_uin INTEGER NOT NULL,
    configuration_id INTEGER,
    principal_kind TEXT,
    principal_id INTEGER,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    run_at TEXT NOT NULL,
    started_at TEXT,
    worker TEXT,
    lease_ends TEXT,
    reason TEXT,
    retry_of INTEGER,
    created_at TEXT NOT NULL,
    finished_at TEXT
) STRICT;
CREATE INDEX tasks_ready ON tasks (run_at, id) WHERE state = 'ready';
CREATE INDEX tasks_waiting ON tasks (subject, id) WHERE state = 'ready';
CREATE UNIQUE INDEX tasks_running ON tasks (subject) WHERE state = 'running';
CREATE INDEX tasks_space ON tasks (space_id, id);
CREATE INDEX tasks_principal ON tasks (principal_id) WHERE principal_id IS NOT NULL;

-- The audit log: one record with every change, written in its transaction.
CREATE TABLE audit_records (
    id INTEGER PRIMARY KEY,
    organization_id INTEGER,
    space_id INTEGER,
    at TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    state_before TEXT,
    state_after TEXT,
    request_id TEXT NOT NULL,
    address TEXT
) STRICT;
CREATE INDEX audit_records_organization ON audit_records (organization_id, id);
CREATE INDEX audit_records_object ON audit_records (object_kind, object_id);

-- The embedded cloud: CAM users of an account. The root has the account's own number.
-- `password_hash` is Argon2id; only those who may sign in at the console have one.
CREATE TABLE cloud_users (
    uin INTEGER PRIMARY KEY,
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    is_root INTEGER NOT NULL,
    password_hash TEXT,
    failed_logins INTEGER NOT NULL,
    locked_until TEXT,
    managed_by INTEGER,
    blocked INTEGER NOT NULL,
    remark TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX cloud_users_name ON cloud_users (account_uin, name_key);

-- API keys of CAM users. The secret key is sealed: verifying a signature needs it.
CREATE TABLE cloud_access_keys (
    secret_id TEXT PRIMARY KEY,
    user_uin INTEGER NOT NULL REFERENCES cloud_users (uin) ON DELETE CASCADE,
    secret_key_sealed BLOB NOT NULL,
    enabled INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX cloud_access_keys_user ON cloud_access_keys (user_uin);

-- SAML providers of an account. `managed_by` is the space whose deployer made it; nobody else may
-- change it.
CREATE TABLE cloud_saml_providers (
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    metadata TEXT NOT NULL,
    managed_by INTEGER,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (account_uin, name)
) STRICT;

-- Roles of an account.
CREATE TABLE cloud_roles (
    id INTEGER PRIMARY KEY,
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    kind TEXT NOT NULL,
    trust_policy TEXT NOT NULL,
    session_duration INTEGER NOT NULL,
    console_login INTEGER NOT NULL,
    managed_by INTEGER,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX cloud_roles_name ON cloud_roles (account_uin, name);

-- Custom policies of an account; the presets are the program's.
CREATE TABLE cloud_policies (
    id INTEGER PRIMARY KEY,
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    document TEXT NOT NULL,
    managed_by INTEGER,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX cloud_policies_name ON cloud_policies (account_uin, name);

-- Which policies a role has; a policy is a preset's number or a custom policy's id.
CREATE TABLE cloud_role_policies (
    role_id INTEGER NOT NULL REFERENCES cloud_roles (id) ON DELETE CASCADE,
    policy_id INTEGER NOT NULL,
    attached_at TEXT NOT NULL,
    PRIMARY KEY (role_id, policy_id)
) STRICT;

-- Which policies a CAM user has.
CREATE TABLE cloud_user_policies (
    user_uin INTEGER NOT NULL REFERENCES cloud_users (uin) ON DELETE CASCADE,
    policy_id INTEGER NOT NULL,
    attached_at TEXT NOT NULL,
    PRIMARY KEY (user_uin, policy_id)
) STRICT;

-- Assertions that the cloud's sign-in has accepted, until they have expired.
CREATE TABLE cloud_accepted_assertions (
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    issuer TEXT NOT NULL,
    assertion_id TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (account_uin, issuer, assertion_id)
) STRICT;
CREATE INDEX cloud_accepted_assertions_expiry ON cloud_accepted_assertions (expires_at);

-- Role sessions: somebody is in an account as a role, with temporary credentials whose secret key
-- is sealed. `provider_name` and `name_id` tell who
-- vouched for whom, so that it can be revoked.
CREATE TABLE cloud_role_sessions (
    id INTEGER PRIMARY KEY,
    role_id INTEGER NOT NULL REFERENCES cloud_roles (id) ON DELETE CASCADE,
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    session_name TEXT NOT NULL,
    provider_name TEXT NOT NULL,
    name_id TEXT NOT NULL,
    secret_id TEXT NOT NULL,
    secret_key_sealed BLOB NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;
CREATE UNIQUE INDEX cloud_role_sessions_secret ON cloud_role_sessions (secret_id);
CREATE INDEX cloud_role_sessions_role ON cloud_role_sessions (role_id);
CREATE INDEX cloud_role_sessions_live ON cloud_role_sessions (provider_name, expires_at)
    WHERE revoked_at IS NULL;

-- Revocation marks: what a space's identity provider said about this person and role before this
-- moment counts no longer.
CREATE TABLE cloud_revocations (
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    provider_name TEXT NOT NULL,
    name_id TEXT NOT NULL,
    role_name TEXT NOT NULL,
    issued_before TEXT NOT NULL,
    PRIMARY KEY (account_uin, provider_name, name_id, role_name)
) STRICT;
