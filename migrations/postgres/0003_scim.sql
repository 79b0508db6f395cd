-- What a space has decided about its directories, as JSON; what it has not decided is not named.
-- `scim_switched_off_at` is when SCIM went off the last time, `scim_brake_lifted_until` until when
-- an administrator lets mass changes pass.
ALTER TABLE spaces ADD COLUMN scim_settings TEXT COLLATE "C" NOT NULL DEFAULT '{}';
ALTER TABLE spaces ADD COLUMN scim_switched_off_at TIMESTAMPTZ;
ALTER TABLE spaces ADD COLUMN scim_brake_lifted_until TIMESTAMPTZ;

-- A group claims its name for itself, unless its space lets several groups have the same one.
ALTER TABLE groups ADD COLUMN name_claim TEXT COLLATE "C";
UPDATE groups SET name_claim = name_key WHERE deleted_at IS NULL;
DROP INDEX groups_name;
CREATE UNIQUE INDEX groups_name ON groups (space_id, name_claim)
    WHERE deleted_at IS NULL AND name_claim IS NOT NULL;
CREATE INDEX groups_name_key ON groups (space_id, name_key);

-- When somebody here changed or deleted a user or group last: a directory that is switched on again
-- may overwrite it. A block is no change.
ALTER TABLE users ADD COLUMN by_hand_at TIMESTAMPTZ;
ALTER TABLE groups ADD COLUMN by_hand_at TIMESTAMPTZ;
CREATE INDEX users_by_hand ON users (space_id, by_hand_at) WHERE by_hand_at IS NOT NULL;
CREATE INDEX groups_by_hand ON groups (space_id, by_hand_at) WHERE by_hand_at IS NOT NULL;

-- What SCIM lists, in the order it lists it, and what it asks for changes since some time.
CREATE INDEX users_scim ON users (space_id, id) WHERE source = 'scim' AND deleted_at IS NULL;
CREATE INDEX groups_scim ON groups (space_id, id) WHERE source = 'scim' AND deleted_at IS NULL;
CREATE INDEX users_modified ON users (space_id, updated_at);
CREATE INDEX groups_modified ON groups (space_id, updated_at);

-- How many users and groups a space has, so that nobody has to count them: triggers keep it in
-- step with the rows. The true number is the sum over the slots: on PostgreSQL each connection has
-- one of its own, so that no two writers wait for each other, and a sweep folds them into slot 0.
-- `removed` only grows: who remembers a position in a list looks whether it has.
CREATE TABLE directory_counts (
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    kind TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    slot BIGINT NOT NULL,
    total BIGINT NOT NULL,
    removed BIGINT NOT NULL,
    PRIMARY KEY (space_id, kind, source, slot)
);
INSERT INTO directory_counts (space_id, kind, source, slot, total, removed)
    SELECT space_id, 'user', source, 0, COUNT(*), 0 FROM users
    WHERE deleted_at IS NULL GROUP BY space_id, source;
INSERT INTO directory_counts (space_id, kind, source, slot, total, removed)
    SELECT space_id, 'group', source, 0, COUNT(*), 0 FROM groups
    WHERE deleted_at IS NULL GROUP BY space_id, source;

CREATE FUNCTION count_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO directory_counts AS c (space_id, kind, source, slot, total, removed)
        SELECT space_id, TG_ARGV[0], source, pg_backend_pid(), COUNT(*), 0
        FROM made WHERE deleted_at IS NULL GROUP BY space_id, source
        ON CONFLICT (space_id, kind, source, slot) DO UPDATE SET total = c.total + excluded.total;
    RETURN NULL;
END $$;
CREATE FUNCTION count_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.deleted_at IS NULL THEN
        INSERT INTO directory_counts AS c (space_id, kind, source, slot, total, removed)
            VALUES (OLD.space_id, TG_ARGV[0], OLD.source, pg_backend_pid(), -1, 1)
            ON CONFLICT (space_id, kind, source, slot)
            DO UPDATE SET total = c.total - 1, removed = c.removed + 1;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.deleted_at IS NULL THEN
        INSERT INTO directory_counts AS c (space_id, kind, source, slot, total, removed)
            VALUES (NEW.space_id, TG_ARGV[0], NEW.source, pg_backend_pid(), 1, 0)
            ON CONFLICT (space_id, kind, source, slot) DO UPDATE SET total = c.total + 1;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER users_made AFTER INSERT ON users REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION count_made('user');
CREATE TRIGGER users_changed AFTER UPDATE OF source, deleted_at ON users FOR EACH ROW
    WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at OR OLD.source <> NEW.source)
    EXECUTE FUNCTION count_changed('user');
CREATE TRIGGER users_gone AFTER DELETE ON users FOR EACH ROW
    EXECUTE FUNCTION count_changed('user');
CREATE TRIGGER groups_made AFTER INSERT ON groups REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION count_made('group');
CREATE TRIGGER groups_changed AFTER UPDATE OF source, deleted_at ON groups FOR EACH ROW
    WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at OR OLD.source <> NEW.source)
    EXECUTE FUNCTION count_changed('group');
CREATE TRIGGER groups_gone AFTER DELETE ON groups FOR EACH ROW
    EXECUTE FUNCTION count_changed('group');

-- Extension schemas that a space has registered. `attributes` is the list of RFC 7643 §7, as JSON.
CREATE TABLE scim_schemas (
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    urn_key TEXT COLLATE "C" NOT NULL,
    urn TEXT COLLATE "C" NOT NULL,
    resource_type TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    attributes TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (space_id, urn_key)
);

-- Values of registered attributes, one row per value, to find and to keep unique. `attribute` is
-- the URN, a colon and the path of the attribute, folded; `unique_key` is null where values may
-- be shared.
CREATE TABLE scim_attribute_values (
    resource_id BIGINT NOT NULL,
    attribute TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    value_key TEXT COLLATE "C" NOT NULL,
    unique_key TEXT COLLATE "C",
    PRIMARY KEY (resource_id, attribute, position)
);
CREATE INDEX scim_attribute_values_value
    ON scim_attribute_values (space_id, attribute, value_key, resource_id);
CREATE UNIQUE INDEX scim_attribute_values_unique
    ON scim_attribute_values (space_id, attribute, unique_key) WHERE unique_key IS NOT NULL;

-- The flight recorder: every SCIM request. `audit_ids` are the records of what it changed, as a
-- JSON list; `size` is what the row counts against the recorder's bound, in bytes.
CREATE TABLE scim_requests (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    at TIMESTAMPTZ NOT NULL,
    credential_id BIGINT NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    query TEXT COLLATE "C",
    client TEXT COLLATE "C",
    body TEXT COLLATE "C",
    body_length BIGINT NOT NULL,
    status BIGINT NOT NULL,
    scim_type TEXT COLLATE "C",
    detail TEXT COLLATE "C",
    subject_kind TEXT COLLATE "C",
    subject_id BIGINT,
    subject_name TEXT COLLATE "C",
    audit_ids TEXT COLLATE "C",
    request_id TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C",
    duration BIGINT NOT NULL,
    size BIGINT NOT NULL
);
CREATE INDEX scim_requests_space ON scim_requests (space_id, id, size);
CREATE INDEX scim_requests_subject ON scim_requests (space_id, subject_kind, subject_id, id)
    WHERE subject_id IS NOT NULL;
CREATE INDEX scim_requests_name ON scim_requests (space_id, subject_name, id)
    WHERE subject_name IS NOT NULL;
CREATE INDEX scim_requests_refused ON scim_requests (space_id, id) WHERE status >= 400;

-- Users that SCIM disabled or deleted, for the mass-change brake.
CREATE TABLE scim_removals (
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    user_id BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (space_id, user_id)
);
CREATE INDEX scim_removals_space ON scim_removals (space_id, at);

-- Bulk requests that are answered later. Each is done in one transaction, with its answer.
CREATE TABLE scim_asynchronous_requests (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    credential_id BIGINT NOT NULL,
    transaction_id TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    status BIGINT,
    response TEXT COLLATE "C",
    worker TEXT COLLATE "C",
    lease_ends TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ
);
CREATE INDEX scim_asynchronous_requests_open ON scim_asynchronous_requests (id)
    WHERE finished_at IS NULL;
CREATE UNIQUE INDEX scim_asynchronous_requests_transaction
    ON scim_asynchronous_requests (space_id, transaction_id);

-- Where the events of a space go. The secret signs what is sent and is sealed here;
-- `secret_number` tells receivers which one it was. `kinds` are the events wanted, as a JSON list.
-- `failures` counts attempts in a row that failed, `run_at` is when the next one is due, and one
-- worker at a time delivers to an endpoint: the one whose lease it is.
CREATE TABLE event_endpoints (
    id BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    url TEXT COLLATE "C" NOT NULL,
    secret_sealed BYTEA NOT NULL,
    secret_number BIGINT NOT NULL,
    kinds TEXT COLLATE "C" NOT NULL,
    full_content BOOLEAN NOT NULL,
    enabled BOOLEAN NOT NULL,
    disabled_because TEXT COLLATE "C",
    failures BIGINT NOT NULL,
    run_at TIMESTAMPTZ NOT NULL,
    worker TEXT COLLATE "C",
    lease_ends TIMESTAMPTZ,
    last_delivered_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX event_endpoints_space ON event_endpoints (space_id);

-- What happened in the directory of a space that has endpoints. The database gives the ids, while
-- the row of the subject is held: the events of one subject are in the order of its changes.
CREATE TABLE events (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id),
    at TIMESTAMPTZ NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject_kind TEXT COLLATE "C" NOT NULL,
    subject_id BIGINT NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    transaction_id TEXT COLLATE "C" NOT NULL
);
CREATE INDEX events_space ON events (space_id, id);

-- One row for each event and endpoint it goes to. `queued_at` is when it was last put in line.
CREATE TABLE event_deliveries (
    endpoint_id BIGINT NOT NULL REFERENCES event_endpoints (id) ON DELETE CASCADE,
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    state TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    queued_at TIMESTAMPTZ NOT NULL,
    attempted_at TIMESTAMPTZ,
    status BIGINT,
    error TEXT COLLATE "C",
    PRIMARY KEY (endpoint_id, event_id)
);
CREATE INDEX event_deliveries_state ON event_deliveries (endpoint_id, state, event_id);
CREATE INDEX event_deliveries_event ON event_deliveries (event_id);
