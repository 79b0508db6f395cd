-- The failed tasks of a space, which the overview counts.
CREATE INDEX tasks_failed ON tasks (space_id, id) WHERE state = 'failed';

-- Tasks that were tried again, by the task they were made from.
CREATE INDEX tasks_retried ON tasks (retry_of) WHERE retry_of IS NOT NULL;

-- Sources are closed here too (USR-20); states are booleans already.
ALTER TABLE users ADD CONSTRAINT users_source CHECK (source IN ('manual', 'scim'));
ALTER TABLE groups ADD CONSTRAINT groups_source CHECK (source IN ('manual', 'scim'));
