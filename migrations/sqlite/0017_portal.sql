-- What a person keeps at the portal: the roles they starred and those they entered last. A handful
-- of rows for each person; they confer nothing and go with what they point to.
CREATE TABLE portal_shortcuts (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    account_uin INTEGER NOT NULL REFERENCES accounts (uin) ON DELETE CASCADE,
    configuration_id INTEGER NOT NULL REFERENCES permission_configurations (id) ON DELETE CASCADE,
    favourite INTEGER NOT NULL,
    entered_at TEXT,
    PRIMARY KEY (user_id, account_uin, configuration_id)
) STRICT;
CREATE INDEX portal_shortcuts_account ON portal_shortcuts (account_uin);
CREATE INDEX portal_shortcuts_configuration ON portal_shortcuts (configuration_id);

-- Whether people get temporary credentials for the command line with this configuration (PRT-11).
ALTER TABLE permission_configurations ADD COLUMN command_line INTEGER NOT NULL DEFAULT 1;
