-- What was begun together, by one request, is watched together; a task that is tried again stays
-- with the others.
ALTER TABLE tasks ADD COLUMN request_id TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX tasks_request ON tasks (request_id, id) WHERE request_id <> '';
CREATE INDEX tasks_retried ON tasks (retry_of) WHERE retry_of IS NOT NULL;

-- When how long a session lasts was changed last; none where it never was.
ALTER TABLE permission_configurations ADD COLUMN session_duration_updated_at TIMESTAMPTZ;
