-- How often the identity provider has ended sessions. A sign-in that was judged before the last time
-- counts no more (SAML core 3.7.3.1).
ALTER TABLE identity_providers ADD COLUMN logouts BIGINT NOT NULL DEFAULT 0;
