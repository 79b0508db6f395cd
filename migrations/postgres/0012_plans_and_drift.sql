-- A configuration's content has a number that grows with each change of it; a deployment notes the
-- number that it has, where it was deployed since there are numbers.
ALTER TABLE permission_configurations ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE deployments ADD COLUMN deployed_version BIGINT;

-- Whether a deployment is wanted gone: it says so, too, when the task that was to take it off failed.
ALTER TABLE deployments ADD COLUMN is_leaving BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE deployments SET is_leaving = TRUE WHERE state = 'removing';

-- When the accounts of a space are looked at for drift next.
CREATE TABLE drift_checks (
    space_id BIGINT PRIMARY KEY REFERENCES spaces (id),
    due_at TIMESTAMPTZ NOT NULL
);

-- What of the managed objects in an account is not as it was recorded. `recorded` and `found` are
-- what is compared, as JSON; an ignored one comes back when that moment comes, or when it changes.
CREATE TABLE drift_findings (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    configuration_id BIGINT REFERENCES permission_configurations (id) ON DELETE CASCADE,
    object_kind TEXT COLLATE "C" NOT NULL,
    object_name TEXT COLLATE "C" NOT NULL,
    nature TEXT COLLATE "C" NOT NULL,
    recorded TEXT COLLATE "C" NOT NULL,
    found TEXT COLLATE "C" NOT NULL,
    found_at TIMESTAMPTZ NOT NULL,
    ignored_until TIMESTAMPTZ
);
CREATE UNIQUE INDEX drift_findings_object
    ON drift_findings (account_uin, object_kind, object_name);
CREATE INDEX drift_findings_space ON drift_findings (space_id, id);
CREATE INDEX drift_findings_configuration ON drift_findings (configuration_id);
