-- What a space has decided about its directories, as JSON; what it has not decided is not named.
-- `scim_switched_off_at` is when SCIM went off the last time, `scim_brake_lifted_until` until when
-- an administrator lets mass changes pass.
ALTER TABLE spaces ADD COLUMN scim_settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE spaces ADD COLUMN scim_switched_off_at TEXT;
ALTER TABLE spaces ADD COLUMN scim_brake_lifted_until TEXT;

-- A group claims its name for itself, unless its space lets several groups have the same one.
ALTER TABLE groups ADD COLUMN name_claim TEXT;
UPDATE groups SET name_claim = name_key WHERE deleted_at IS NULL;
DROP INDEX groups_name;
CREATE UNIQUE INDEX groups_name ON groups (space_id, name_claim)
    WHERE deleted_at IS NULL AND name_claim IS NOT NULL;
CREATE INDEX groups_name_key ON groups (space_id, name_key);

-- When somebody here changed or deleted a user or group last: a directory that is switched on again
-- may overwrite it. A block is no change.
ALTER TABLE users ADD COLUMN by_hand_at TEXT;
ALTER TABLE groups ADD COLUMN by_hand_at TEXT;
CREATE INDEX users_by_hand ON users (space_id, by_hand_at) WHERE by_hand_at IS NOT NULL;
CREATE INDEX groups_by_hand ON groups (space_id, by_hand_at) WHERE by_hand_at IS NOT NULL;

-- What SCIM lists, in the order it lists it, and what it asks for changes since some time.
CREATE INDEX users_scim ON users (space_id, id) WHERE source = 'scim' AND deleted_at IS NULL;
CREATE INDEX groups_scim ON groups (space_id, id) WHERE source = 'scim' AND deleted_at IS NULL;
CREATE INDEX users_modified ON users (space_id, updated_at);
CREATE INDEX groups_modified ON groups (space_id, updated_at);

-- Memberships, clustered by group.
CREATE TABLE clustered_group_members (
    group_id INTEGER NOT NULL REFERENCES groups (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    joined_at TEXT NOT NULL,
    PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO clustered_group_members SELECT group_id, user_id, joined_at FROM group_members;
DROP TABLE group_members;
ALTER TABLE clustered_group_members RENAME TO group_members;
CREATE INDEX group_members_user ON group_members (user_id, group_id);

-- How many users and groups a space has, so that nobody has to count them: triggers keep it in
-- step with the rows. The true number is the sum over the slots: on PostgreSQL each connection has
-- one of its own, so that no two writers wait for each other, and a sweep folds them into slot 0.
-- `removed` only grows: who remembers a position in a list looks whether it has.
CREATE TABLE directory_counts (
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    slot INTEGER NOT NULL,
    total INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    PRIMARY KEY (space_id, kind, source, slot)
) STRICT;
INSERT INTO directory_counts (space_id, kind, source, slot, total, removed)
    SELECT space_id, 'user', source, 0, COUNT(*), 0 FROM users
    WHERE deleted_at IS NULL GROUP BY space_id, source;
INSERT INTO directory_counts (space_id, kind, source, slot, total, removed)
    SELECT space_id, 'group', source, 0, COUNT(*), 0 FROM groups
    WHERE deleted_at IS NULL GROUP BY space_id, source;

CREATE TRIGGER users_made AFTER INSERT ON users WHEN new.deleted_at IS NULL BEGIN
    INSERT INTO directory_counts (space_id, kind, source, slot, total, removed)
        VALUES (new.space_id, 'user', new.source, 0, 1, 0)
        ON CONFLICT (space_id, kind, source, slot) DO UPDATE SET total = total + 1;
END;
CREATE TRIGGER users_left AFTER UPDATE OF source, deleted_at ON users
    WHEN old.deleted_at IS NULL AND (new.deleted_at IS NOT NULL OR new.source <> old.source) BEGIN
    UPDATE directory_counts SET total = total - 1, removed = removed + 1
        WHERE space_id = old.space_id AND kind = 'user' AND source = old.source AND slot = 0;
END;
CREATE TRIGGER users_came AFTER UPDATE OF source, deleted_at ON users
    WHEN new.deleted_at IS NULL AND (old.deleted_at IS NOT NULL OR new.source <> old.source) BEGIN
    INSERT INTO directory_counts (space_id, kind, source, slot, total, removed)
        VALUES (new.space_id, 'user', new.source, 0, 1, 0)
        ON CONFLICT (space_id, kind, source, slot) DO UPDATE SET total = total + 1;
END;
CREATE TRIGGER users_gone AFTER DELETE ON users WHEN old.deleted_at IS NULL BEGIN
    UPDATE directory_counts SET total = total - 1, removed = removed + 1
        WHERE space_id = old.space_id AND kind = 'user' AND source = old.source AND slot = 0;
END;
CREATE TRIGGER groups_made AFTER INSERT ON groups WHEN new.deleted_at IS NULL BEGIN
    INSERT INTO directory_counts (space_id, kind, source, slot, total, removed)
        VALUES (new.space_id, 'group', new.source, 0, 1, 0)
        ON CONFLICT (space_id, kind, source, slot) DO UPDATE SET total = total + 1;
END;
CREATE TRIGGER groups_left AFTER UPDATE OF source, deleted_at ON groups
    WHEN old.deleted_at IS NULL AND (new.deleted_at IS NOT NULL OR new.source <> old.source) BEGIN
    UPDATE directory_counts SET total = total - 1, removed = removed + 1
        WHERE space_id = old.space_id AND kind = 'group' AND source = old.source AND slot = 0;
END;
CREATE TRIGGER groups_came AFTER UPDATE OF source, deleted_at ON groups
    WHEN new.deleted_at IS NULL AND (old.deleted_at IS NOT NULL OR new.source <> old.source) BEGIN
    INSERT INTO directory_counts (space_id, kind, source, slot, total, removed)
        VALUES (new.space_id, 'group', new.source, 0, 1, 0)
        ON CONFLICT (space_id, kind, source, slot) DO UPDATE SET total = total + 1;
END;
CREATE TRIGGER groups_gone AFTER DELETE ON groups WHEN old.deleted_at IS NULL BEGIN
    UPDATE directory_counts SET total = total - 1, removed = removed + 1
        WHERE space_id = old.space_id AND kind = 'group' AND source = old.source AND slot = 0;
END;

-- Extension schemas that a space has registered. `attributes` is the list of RFC 7643 §7, as JSON.
CREATE TABLE scim_schemas (
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    urn_key TEXT NOT NULL,
    urn TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    attributes TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (space_id, urn_key)
) STRICT;

-- Values of registered attributes, one row per value, to find and to keep unique. `attribute` is
-- the URN, a colon and the path of the attribute, folded; `unique_key` is null where values may
-- be shared.
CREATE TABLE scim_attribute_values (
    resource_id INTEGER NOT NULL,
    attribute TEXT NOT NULL,
    position INTEGER NOT NULL,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    value_key TEXT NOT NULL,
    unique_key TEXT,
    PRIMARY KEY (resource_id, attribute, position)
) STRICT;
CREATE INDEX scim_attribute_values_value
    ON scim_attribute_values (space_id, attribute, value_key, resource_id);
CREATE UNIQUE INDEX scim_attribute_values_unique
    ON scim_attribute_values (space_id, attribute, unique_key) WHERE unique_key IS NOT NULL;

-- The flight recorder: every SCIM request. `audit_ids` are the records of what it changed, as a
-- JSON list; `size` is what the row counts against the recorder's bound, in bytes.
CREATE TABLE scim_requests (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    at TEXT NOT NULL,
    credential_id INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT,
    client TEXT,
    body TEXT,
    body_length INTEGER NOT NULL,
    status INTEGER NOT NULL,
    scim_type TEXT,
    detail TEXT,
    subject_kind TEXT,
    subject_id INTEGER,
    subject_name TEXT,
    audit_ids TEXT,
    request_id TEXT NOT NULL,
    address TEXT,
    duration INTEGER NOT NULL,
    size INTEGER NOT NULL
) STRICT;
CREATE INDEX scim_requests_space ON scim_requests (space_id, id, size);
CREATE INDEX scim_requests_subject ON scim_requests (space_id, subject_kind, subject_id, id)
    WHERE subject_id IS NOT NULL;
CREATE INDEX scim_requests_name ON scim_requests (space_id, subject_name, id)
    WHERE subject_name IS NOT NULL;
CREATE INDEX scim_requests_refused ON scim_requests (space_id, id) WHERE status >= 400;

-- Users that SCIM disabled or deleted, for the mass-change brake.
CREATE TABLE scim_removals (
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    user_id INTEGER NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (space_id, user_id)
) STRICT;
CREATE INDEX scim_removals_space ON scim_removals (space_id, at);

-- Bulk requests that are answered later. Each is done in one transaction, with its answer.
CREATE TABLE scim_asynchronous_requests (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    credential_id INTEGER NOT NULL,
    transaction_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    body TEXT NOT NULL,
    status INTEGER,
    response TEXT,
    worker TEXT,
    lease_ends TEXT,
    created_at TEXT NOT NULL,
    finished_at TEXT
) STRICT;
CREATE INDEX scim_asynchronous_requests_open ON scim_asynchronous_requests (id)
    WHERE finished_at IS NULL;
CREATE UNIQUE INDEX scim_asynchronous_requests_transaction
    ON scim_asynchronous_requests (space_id, transaction_id);

-- Where the events of a space go. The secret signs what is sent and is sealed here;
-- `secret_number` tells receivers which one it was. `kinds` are the events wanted, as a JSON list.
-- `failures` counts attempts in a row that failed, `run_at` is when the next one is due, and one
-- worker at a time delivers to an endpoint: the one whose lease it is.
CREATE TABLE event_endpoints (
    id INTEGER PRIMARY KEY,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    url TEXT NOT NULL,
    secret_sealed BLOB NOT NULL,
    secret_number INTEGER NOT NULL,
    kinds TEXT NOT NULL,
    full_content INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    disabled_because TEXT,
    failures INTEGER NOT NULL,
    run_at TEXT NOT NULL,
    worker TEXT,
    lease_ends TEXT,
    last_delivered_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX event_endpoints_space ON event_endpoints (space_id);

-- What happened in the directory of a space that has endpoints. The database gives the ids, while
-- the row of the subject is held: the events of one subject are in the order of its changes.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    payload TEXT NOT NULL,
    transaction_id TEXT NOT NULL
) STRICT;
CREATE INDEX events_space ON events (space_id, id);

-- One row for each event and endpoint it goes to. `queued_at` is when it was last put in line.
CREATE TABLE event_deliveries (
    endpoint_id INTEGER NOT NULL REFERENCES event_endpoints (id) ON DELETE CASCADE,
    event_id INTEGER NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    queued_at TEXT NOT NULL,
    attempted_at TEXT,
    status INTEGER,
    error TEXT,
    PRIMARY KEY (endpoint_id, event_id)
) STRICT;
CREATE INDEX event_deliveries_state ON event_deliveries (endpoint_id, state, event_id);
CREATE INDEX event_deliveries_event ON event_deliveries (event_id);
