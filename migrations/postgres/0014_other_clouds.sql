-- Accounts that are in another cloud, which nobody deploys to but people: which cloud, and the
-- account's number there.
CREATE TABLE other_cloud_accounts (
    account_uin BIGINT PRIMARY KEY REFERENCES accounts (uin) ON DELETE CASCADE,
    cloud TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    region TEXT COLLATE "C",
    updated_at TIMESTAMPTZ NOT NULL
);

-- What somebody has to make by hand in such an account. `wanted` is what is to be there, none where
-- it is to go; `made` is what somebody has said is there.
CREATE TABLE manual_steps (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    account_uin BIGINT NOT NULL REFERENCES accounts (uin),
    object_kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    configuration_id BIGINT,
    wanted TEXT COLLATE "C",
    made TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX manual_steps_object ON manual_steps (account_uin, space_id, object_kind, name);
CREATE INDEX manual_steps_space ON manual_steps (space_id, id);
