-- The failed tasks of a space, which the overview counts.
CREATE INDEX tasks_failed ON tasks (space_id, id) WHERE state = 'failed';

-- Sources and states are closed here too (USR-20). SQLite takes no new constraint on a table that
-- is there, so triggers say what PostgreSQL's constraints say.
CREATE TRIGGER users_closed_insert BEFORE INSERT ON users
WHEN NEW.source NOT IN ('manual', 'scim') OR NEW.active NOT IN (0, 1) OR NEW.blocked NOT IN (0, 1)
BEGIN SELECT RAISE(ABORT, 'a source or state that there is not'); END;
CREATE TRIGGER users_closed_update BEFORE UPDATE OF source, active, blocked ON users
WHEN NEW.source NOT IN ('manual', 'scim') OR NEW.active NOT IN (0, 1) OR NEW.blocked NOT IN (0, 1)
BEGIN SELECT RAISE(ABORT, 'a source or state that there is not'); END;
CREATE TRIGGER groups_closed_insert BEFORE INSERT ON groups
WHEN NEW.source NOT IN ('manual', 'scim')
BEGIN SELECT RAISE(ABORT, 'a source that there is not'); END;
CREATE TRIGGER groups_closed_update BEFORE UPDATE OF source ON groups
WHEN NEW.source NOT IN ('manual', 'scim')
BEGIN SELECT RAISE(ABORT, 'a source that there is not'); END;
