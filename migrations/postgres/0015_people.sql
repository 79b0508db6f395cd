-- The failed tasks of a space, which the overview counts.
CREATE INDEX tasks_failed ON tasks (space_id, id) WHERE state = 'failed';

-- Sources are closed here too (USR-20); states are booleans already.
ALTER TABLE users ADD CONSTRAINT users_source CHECK (source IN ('manual', 'scim'));
ALTER TABLE groups ADD CONSTRAINT groups_source CHECK (source IN ('manual', 'scim'));
