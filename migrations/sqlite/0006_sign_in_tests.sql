-- What is decided of the answers of the identity provider, as JSON.
ALTER TABLE identity_providers ADD COLUMN responses TEXT NOT NULL DEFAULT '{}';

-- The opaque value that the identity provider returns with its answer, and the test that a request
-- belongs to (null: a real sign-in).
ALTER TABLE login_requests ADD COLUMN relay_state TEXT NOT NULL DEFAULT '';
ALTER TABLE login_requests ADD COLUMN test_id INTEGER;
CREATE INDEX login_requests_relay_state ON login_requests (space_id, relay_state);

-- Whether the sign-in began at the identity provider: then no browser is bound, and the person is
-- asked.
ALTER TABLE login_tickets ADD COLUMN unsolicited INTEGER NOT NULL DEFAULT 0;

-- What attempts are looked for by: the folded name, and why one was refused.
ALTER TABLE sign_in_attempts ADD COLUMN name_id_key TEXT;
ALTER TABLE sign_in_attempts ADD COLUMN cause TEXT;
CREATE INDEX sign_in_attempts_name ON sign_in_attempts (space_id, name_id_key, id);
CREATE INDEX sign_in_attempts_outcome ON sign_in_attempts (space_id, outcome, id);
CREATE INDEX sign_in_attempts_request ON sign_in_attempts (space_id, request_id);

-- Test sign-ins: an identity provider's configuration that signs nobody in, and what came of the
-- latest answer to it. `proposal_id` is what was proposed (null: the configuration that people sign
-- in with; it may be gone by now), `certificates` is a list of PEM texts, `requests` and `responses` are as in
-- identity_providers, `checks` as in sign_in_attempts; `assertion` is what was proved, and `message`
-- the XML that came. Null until an answer came.
CREATE TABLE sign_in_tests (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    administrator TEXT NOT NULL,
    created_at TEXT NOT NULL,
    proposal_id INTEGER,
    entity_id TEXT NOT NULL,
    login_url TEXT NOT NULL,
    post_url TEXT NOT NULL,
    requests TEXT NOT NULL,
    responses TEXT NOT NULL,
    metadata TEXT,
    certificates TEXT NOT NULL,
    outcome TEXT,
    checks TEXT,
    answered_at TEXT,
    request_id TEXT,
    user_id INTEGER,
    assertion TEXT,
    message TEXT
) STRICT;
CREATE INDEX sign_in_tests_space ON sign_in_tests (space_id, id);
CREATE INDEX sign_in_tests_time ON sign_in_tests (created_at);
