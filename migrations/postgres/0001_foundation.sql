-- An organisation: a tree of departments and the accounts in it.
CREATE TABLE organizations (
    id BIGINT PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX organizations_name ON organizations (name_key);

-- The departments of an organisation. The root has no parent; `node_id` is the small number by
-- which the public API knows a department.
CREATE TABLE departments (
    id BIGINT PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    node_id BIGINT NOT NULL,
    parent_id BIGINT REFERENCES departments (id),
    name TEXT COLLATE "C" NOT NULL,
    remark TEXT COLLATE "C" NOT NULL,
    depth BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX departments_node ON departments (node_id);
CREATE UNIQUE INDEX departments_name ON departments (parent_id, name);
CREATE INDEX departments_organization ON departments (organization_id);

-- Cloud accounts of an organisation: its one management account and its members.
CREATE TABLE accounts (
    uin BIGINT PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    department_id BIGINT NOT NULL REFERENCES departments (id),
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    remark TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX accounts_name ON accounts (organization_id, name);
CREATE INDEX accounts_department ON accounts (department_id);

-- A space: everything of one organisation's Identity Center. One per organisation, and its name
-- is known to the whole installation because it stands in the user login URL.
CREATE TABLE spaces (
    id BIGINT PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    name TEXT COLLATE "C" NOT NULL,
    user_sync_suffix TEXT COLLATE "C" NOT NULL,
    scim_enabled BOOLEAN NOT NULL,
    sso_enabled BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX spaces_organization ON spaces (organization_id);
CREATE UNIQUE INDEX spaces_name ON spaces (name);

-- Key pairs of a space: one as the service provider that people sign in at, one as the identity
-- provider towards the accounts. The private key is sealed with the master key.
CREATE TABLE space_keys (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    purpose TEXT COLLATE "C" NOT NULL,
    private_key_sealed BYTEA NOT NULL,
    certificate TEXT COLLATE "C" NOT NULL,
    not_after TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX space_keys_space ON space_keys (space_id, purpose);

-- Users of the directory. `user_name_key` is the name with its ASCII letters folded. `active` is
-- what the directory said, `blocked` what an administrator decided here; a user may sign in when
-- active and not blocked. `document` is the SCIM resource as it was sent, for users SCIM made. A
-- user that SCIM deleted stays, with `deleted_at`, until the tasks that take its access away end.
CREATE TABLE users (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    source TEXT COLLATE "C" NOT NULL,
    user_name TEXT COLLATE "C" NOT NULL,
    user_name_key TEXT COLLATE "C" NOT NULL,
    first_name TEXT COLLATE "C" NOT NULL,
    last_name TEXT COLLATE "C" NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    active BOOLEAN NOT NULL,
    blocked BOOLEAN NOT NULL,
    external_id TEXT COLLATE "C",
    document TEXT COLLATE "C",
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX users_name ON users (space_id, user_name_key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_email ON users (space_id, email_key)
    WHERE source = 'manual' AND email_key <> '' AND deleted_at IS NULL;
CREATE INDEX users_external_id ON users (space_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX users_space ON users (space_id, id);

-- Groups of the directory; columns as for users.
CREATE TABLE groups (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    source TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C",
    document TEXT COLLATE "C",
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX groups_name ON groups (space_id, name_key) WHERE deleted_at IS NULL;
CREATE INDEX groups_external_id ON groups (space_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX groups_space ON groups (space_id, id);

-- Who is in which group.
CREATE TABLE group_members (
    group_id BIGINT NOT NULL REFERENCES groups (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    joined_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_user ON group_members (user_id, group_id);

-- Members that a directory named and that are no users of its making. They are echoed to the
-- directory and confer nothing.
CREATE TABLE dangling_group_members (
    group_id BIGINT NOT NULL REFERENCES groups (id),
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (group_id, value)
);

-- SCIM tokens: of each, only the SHA-256.
CREATE TABLE scim_credentials (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    token_hash BYTEA NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX scim_credentials_token ON scim_credentials (token_hash);
CREATE INDEX scim_credentials_space ON scim_credentials (space_id);

-- The identity provider that the people of a space sign in at.
CREATE TABLE identity_providers (
    space_id BIGINT PRIMARY KEY REFERENCES spaces (id),
    entity_id TEXT COLLATE "C" NOT NULL,
    login_url TEXT COLLATE "C" NOT NULL,
    metadata TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

-- The certificates whose keys may sign that identity provider's messages.
CREATE TABLE identity_provider_certificates (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES identity_providers (space_id) ON DELETE CASCADE,
    certificate TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX identity_provider_certificates_fingerprint
    ON identity_provider_certificates (space_id, fingerprint);

-- Sign-ins under way: one row per AuthnRequest, taken when its response comes.
-- `entity_id` is the identity provider it went to, `binding_hash` the SHA-256 of the cookie of the
-- browser that began.
CREATE TABLE login_requests (
    id TEXT COLLATE "C" PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    entity_id TEXT COLLATE "C" NOT NULL,
    return_to TEXT COLLATE "C" NOT NULL,
    binding_hash BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX login_requests_expiry ON login_requests (expires_at);

-- The replay ledger: assertions that were accepted, until they have expired.
CREATE TABLE accepted_assertions (
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    issuer TEXT COLLATE "C" NOT NULL,
    assertion_id TEXT COLLATE "C" NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (space_id, issuer, assertion_id)
);
CREATE INDEX accepted_assertions_expiry ON accepted_assertions (expires_at);

-- One-time tickets from the assertion consumer service to the same-site page behind it.
CREATE TABLE login_tickets (
    ticket_hash BYTEA PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    attempt_id BIGINT NOT NULL,
    return_to TEXT COLLATE "C" NOT NULL,
    binding_hash BYTEA NOT NULL,
    session_ends_at TIMESTAMPTZ,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX login_tickets_expiry ON login_tickets (expires_at);

-- The sign-in trace: every attempt with each check and its verdict.
CREATE TABLE sign_in_attempts (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    at TIMESTAMPTZ NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    user_id BIGINT,
    name_id TEXT COLLATE "C",
    checks TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C"
);
CREATE INDEX sign_in_attempts_space ON sign_in_attempts (space_id, id);

-- Sessions of every door. The id in the cookie is a secret: here is its SHA-256.
CREATE TABLE sessions (
    id_hash BYTEA PRIMARY KEY,
    door TEXT COLLATE "C" NOT NULL,
    subject BIGINT,
    data TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_subject ON sessions (door, subject);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Permission configurations: templates of policies. `content` is what a deployment of it would say
-- now (policies and session duration, canonical), so that outdated deployments are found by comparison.
CREATE TABLE permission_configurations (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    name TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    session_duration BIGINT NOT NULL,
    relay_state TEXT COLLATE "C" NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX permission_configurations_name
    ON permission_configurations (space_id, name_key);
CREATE INDEX permission_configurations_space ON permission_configurations (space_id, id);

-- The policies of a configuration: presets by their number, custom ones with their document.
CREATE TABLE configuration_policies (
    configuration_id BIGINT NOT NULL REFERENCES permission_configurations (id),
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    policy_id BIGINT NOT NULL,
    document TEXT COLLATE "C",
    added_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (configuration_id, kind, name)
);

-- Assignments: an identity has a configuration on an account. `removing` ones are on their way
-- out and confer nothing any more.
CREATE TABLE assignments (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    principal_kind TEXT COLLATE "C" NOT NULL,
    principal_id BIGINT NOT NULL,
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    configuration_id BIGINT NOT NULL REFERENCES permission_configurations (id),
    state TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX assignments_triple
    ON assignments (account_uin, configuration_id, principal_kind, principal_id);
CREATE INDEX assignments_principal ON assignments (principal_kind, principal_id);
CREATE INDEX assignments_space ON assignments (space_id, id);
CREATE INDEX assignments_configuration ON assignments (configuration_id, account_uin);

-- Deployments: a configuration made real in one account. `deployed_content` is what was deployed,
-- for comparison with what the configuration says now; null until the first success.
CREATE TABLE deployments (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    configuration_id BIGINT NOT NULL REFERENCES permission_configurations (id),
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    state TEXT COLLATE "C" NOT NULL,
    deployed_content TEXT COLLATE "C",
    reason TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX deployments_pair ON deployments (account_uin, configuration_id);
CREATE INDEX deployments_configuration ON deployments (configuration_id);
CREATE INDEX deployments_space ON deployments (space_id, id);

-- User syncs: an identity has a CAM user in an account. States as for assignments.
CREATE TABLE user_syncs (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    principal_kind TEXT COLLATE "C" NOT NULL,
    principal_id BIGINT NOT NULL,
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    description TEXT COLLATE "C" NOT NULL,
    duplication_strategy TEXT COLLATE "C" NOT NULL,
    deletion_strategy TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX user_syncs_pair ON user_syncs (account_uin, principal_kind, principal_id);
CREATE INDEX user_syncs_principal ON user_syncs (principal_kind, principal_id);
CREATE INDEX user_syncs_space ON user_syncs (space_id, id);

-- The CAM users that user syncs stand for: which user of the directory is which CAM user.
CREATE TABLE synced_users (
    user_id BIGINT NOT NULL REFERENCES users (id),
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    cam_user_name TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, account_uin)
);
CREATE UNIQUE INDEX synced_users_name ON synced_users (account_uin, cam_user_name);

-- Tasks: steps towards an account. At most one with the same subject runs at a time. The payload
-- names things, it does not describe them.
CREATE TABLE tasks (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    account_uin BIGINT NOT NULL,
    configuration_id BIGINT,
    principal_kind TEXT COLLATE "C",
    principal_id BIGINT,
    state TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    run_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    worker TEXT COLLATE "C",
    lease_ends TIMESTAMPTZ,
    reason TEXT COLLATE "C",
    retry_of BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ
);
CREATE INDEX tasks_ready ON tasks (run_at, id) WHERE state = 'ready';
CREATE INDEX tasks_waiting ON tasks (subject, id) WHERE state = 'ready';
CREATE UNIQUE INDEX tasks_running ON tasks (subject) WHERE state = 'running';
CREATE INDEX tasks_space ON tasks (space_id, id);
CREATE INDEX tasks_principal ON tasks (principal_id) WHERE principal_id IS NOT NULL;

-- The audit log: one record with every change, written in its transaction.
CREATE TABLE audit_records (
    id BIGINT PRIMARY KEY,
    organization_id BIGINT,
    space_id BIGINT,
    at TIMESTAMPTZ NOT NULL,
    actor_kind TEXT COLLATE "C" NOT NULL,
    actor_id TEXT COLLATE "C" NOT NULL,
    actor_name TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    object_kind TEXT COLLATE "C" NOT NULL,
    object_id TEXT COLLATE "C" NOT NULL,
    state_before TEXT COLLATE "C",
    state_after TEXT COLLATE "C",
    request_id TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C"
);
CREATE INDEX audit_records_organization ON audit_records (organization_id, id);
CREATE INDEX audit_records_object ON audit_records (object_kind, object_id);

-- The embedded cloud: CAM users of an account. The root has the account's own number.
-- `password_hash` is Argon2id; only those who may sign in at the console have one.
CREATE TABLE cloud_users (
    uin BIGINT PRIMARY KEY,
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    name TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    is_root BOOLEAN NOT NULL,
    password_hash TEXT COLLATE "C",
    failed_logins BIGINT NOT NULL,
    locked_until TIMESTAMPTZ,
    managed_by BIGINT,
    blocked BOOLEAN NOT NULL,
    remark TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX cloud_users_name ON cloud_users (account_uin, name_key);

-- API keys of CAM users. The secret key is sealed: verifying a signature needs it.
CREATE TABLE cloud_access_keys (
    secret_id TEXT COLLATE "C" PRIMARY KEY,
    user_uin BIGINT NOT NULL REFERENCES cloud_users (uin) ON DELETE CASCADE,
    secret_key_sealed BYTEA NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX cloud_access_keys_user ON cloud_access_keys (user_uin);

-- SAML providers of an account. `managed_by` is the space whose deployer made it; nobody else may
-- change it.
CREATE TABLE cloud_saml_providers (
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    metadata TEXT COLLATE "C" NOT NULL,
    managed_by BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (account_uin, name)
);

-- Roles of an account.
CREATE TABLE cloud_roles (
    id BIGINT PRIMARY KEY,
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    trust_policy TEXT COLLATE "C" NOT NULL,
    session_duration BIGINT NOT NULL,
    console_login BOOLEAN NOT NULL,
    managed_by BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX cloud_roles_name ON cloud_roles (account_uin, name);

-- Custom policies of an account; the presets are the program's.
CREATE TABLE cloud_policies (
    id BIGINT PRIMARY KEY,
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    managed_by BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX cloud_policies_name ON cloud_policies (account_uin, name);

-- Which policies a role has; a policy is a preset's number or a custom policy's id.
CREATE TABLE cloud_role_policies (
    role_id BIGINT NOT NULL REFERENCES cloud_roles (id) ON DELETE CASCADE,
    policy_id BIGINT NOT NULL,
    attached_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (role_id, policy_id)
);

-- Which policies a CAM user has.
CREATE TABLE cloud_user_policies (
    user_uin BIGINT NOT NULL REFERENCES cloud_users (uin) ON DELETE CASCADE,
    policy_id BIGINT NOT NULL,
    attached_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_uin, policy_id)
);

-- Assertions that the cloud's sign-in has accepted, until they have expired.
CREATE TABLE cloud_accepted_assertions (
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    issuer TEXT COLLATE "C" NOT NULL,
    assertion_id TEXT COLLATE "C" NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (account_uin, issuer, assertion_id)
);
CREATE INDEX cloud_accepted_assertions_expiry ON cloud_accepted_assertions (expires_at);

-- Role sessions: somebody is in an account as a role, with temporary credentials whose secret key
-- is sealed. `provider_name` and `name_id` tell who
-- vouched for whom, so that it can be revoked.
CREATE TABLE cloud_role_sessions (
    id BIGINT PRIMARY KEY,
    role_id BIGINT NOT NULL REFERENCES cloud_roles (id) ON DELETE CASCADE,
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    session_name TEXT COLLATE "C" NOT NULL,
    provider_name TEXT COLLATE "C" NOT NULL,
    name_id TEXT COLLATE "C" NOT NULL,
    secret_id TEXT COLLATE "C" NOT NULL,
    secret_key_sealed BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX cloud_role_sessions_secret ON cloud_role_sessions (secret_id);
CREATE INDEX cloud_role_sessions_role ON cloud_role_sessions (role_id);
CREATE INDEX cloud_role_sessions_live ON cloud_role_sessions (provider_name, expires_at)
    WHERE revoked_at IS NULL;

-- Revocation marks: what a space's identity provider said about this person and role before this
-- moment counts no longer.
CREATE TABLE cloud_revocations (
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    provider_name TEXT COLLATE "C" NOT NULL,
    name_id TEXT COLLATE "C" NOT NULL,
    role_name TEXT COLLATE "C" NOT NULL,
    issued_before TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (account_uin, provider_name, name_id, role_name)
);
