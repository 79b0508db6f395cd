-- The e-mail addresses of users that SCIM made, one row per value of `emails`, so that a
-- directory finds a user by address. Address and kind ("work", …) have their ASCII letters folded.
CREATE TABLE user_emails (
    user_id BIGINT NOT NULL REFERENCES users (id),
    position BIGINT NOT NULL,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    address_key TEXT COLLATE "C" NOT NULL,
    kind_key TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, position)
);
CREATE INDEX user_emails_address ON user_emails (space_id, address_key);
