-- Accounts that are in another cloud, which nobody deploys to but people: which cloud, and the
-- account's number there.
CREATE TABLE other_cloud_accounts (
    account_uin INTEGER PRIMARY KEY REFERENCES accounts (uin) ON DELETE CASCADE,
    cloud TEXT NOT NULL,
    number INTEGER NOT NULL,
    region TEXT,
    updated_at TEXT NOT NULL
) STRICT;

-- What somebody has to make by hand in such an account. `wanted` is what is to be there, none where
-- it is to go; `made` is what somebody has said is there.
CREATE TABLE manual_steps (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    account_uin INTEGER NOT NULL REFERENCES accounts (uin),
    object_kind TEXT NOT NULL,
    name TEXT NOT NULL,
    configuration_id INTEGER,
    wanted TEXT,
    made TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX manual_steps_object ON manual_steps (account_uin, space_id, object_kind, name);
CREATE INDEX manual_steps_space ON manual_steps (space_id, id);
