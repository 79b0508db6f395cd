-- What of a bulk request failed although it was answered, as JSON: how many operations, and the
-- first of them; and the preconditions a request came with, as JSON, for trying it again.
ALTER TABLE scim_requests ADD COLUMN failures TEXT COLLATE "C";
ALTER TABLE scim_requests ADD COLUMN conditions TEXT COLLATE "C";
DROP INDEX scim_requests_refused;
CREATE INDEX scim_requests_refused ON scim_requests (space_id, id)
    WHERE status >= 400 OR failures IS NOT NULL;

-- A body that waits is sealed, because it may hold passwords; it goes when it is done. `recorded_id`
-- is the recorder's row of the request. What waited in the open is given up, and says so.
UPDATE scim_asynchronous_requests SET status = 503, finished_at = created_at, response =
    '{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"503","detail":"The server was updated before this was done; send it again"}'
    WHERE finished_at IS NULL;
ALTER TABLE scim_asynchronous_requests DROP COLUMN body;
ALTER TABLE scim_asynchronous_requests ADD COLUMN body_sealed BYTEA;
ALTER TABLE scim_asynchronous_requests ADD COLUMN recorded_id BIGINT;

-- What directories deleted, for the list of it at the console (SCIM-18).
CREATE INDEX audit_records_directory_deletions ON audit_records (space_id, id)
    WHERE actor_kind = 'scim_client' AND action IN ('user.delete', 'group.delete');
