-- What joins records of several requests: the public name of the portal session that a sign-in
-- opened and that accounts were entered from (CON-04).
ALTER TABLE audit_records ADD COLUMN correlation_id TEXT COLLATE "C";
CREATE INDEX audit_records_correlation ON audit_records (correlation_id)
    WHERE correlation_id IS NOT NULL;
