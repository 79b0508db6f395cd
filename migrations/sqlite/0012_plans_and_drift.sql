-- A configuration's content has a number that grows with each change of it; a deployment notes the
-- number that it has, where it was deployed since there are numbers.
ALTER TABLE permission_configurations ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE deployments ADD COLUMN deployed_version INTEGER;

-- Whether a deployment is wanted gone: it says so, too, when the task that was to take it off failed.
ALTER TABLE deployments ADD COLUMN is_leaving INTEGER NOT NULL DEFAULT 0;
UPDATE deployments SET is_leaving = 1 WHERE state = 'removing';

-- When the accounts of a space are looked at for drift next.
CREATE TABLE drift_checks (
    space_id INTEGER PRIMARY KEY REFERENCES spaces (id),
    due_at TEXT NOT NULL
) STRICT;

-- What of the managed objects in an account is not as it was recorded. `recorded` and `found` are
-- what is compared, as JSON; an ignored one comes back when that moment comes, or when it changes.
CREATE TABLE drift_findings (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    configuration_id INTEGER REFERENCES permission_configurations (id) ON DELETE CASCADE,
    object_kind TEXT NOT NULL,
    object_name TEXT NOT NULL,
    nature TEXT NOT NULL,
    recorded TEXT NOT NULL,
    found TEXT NOT NULL,
    found_at TEXT NOT NULL,
    ignored_until TEXT
) STRICT;
CREATE UNIQUE INDEX drift_findings_object
    ON drift_findings (account_uin, object_kind, object_name);
CREATE INDEX drift_findings_space ON drift_findings (space_id, id);
CREATE INDEX drift_findings_configuration ON drift_findings (configuration_id);
