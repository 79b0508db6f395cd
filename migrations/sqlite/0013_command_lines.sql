-- Command lines that ask to act as somebody (`tccli sso login`): what the person answered, until the
-- command line has come for it. Of the word that the two share only the SHA-256 is kept. It goes with
-- the portal session in which it was answered. The sessions of command lines themselves stand beside
-- those of browsers.
CREATE TABLE command_line_requests (
    state_hash BLOB PRIMARY KEY,
    session_hash BLOB NOT NULL REFERENCES sessions (id_hash) ON DELETE CASCADE,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    idp_session_id INTEGER NOT NULL,
    allowed INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    session_ends_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX command_line_requests_session ON command_line_requests (session_hash);
CREATE INDEX command_line_requests_user ON command_line_requests (user_id);
CREATE INDEX command_line_requests_expiry ON command_line_requests (expires_at);
