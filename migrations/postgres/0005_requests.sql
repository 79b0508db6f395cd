-- Where the identity provider takes requests that are posted (empty: nowhere; then `login_url` is
-- where it takes redirects, which may be empty instead), and how we ask, as JSON.
ALTER TABLE identity_providers ADD COLUMN post_url TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE identity_providers ADD COLUMN requests TEXT COLLATE "C" NOT NULL DEFAULT '{}';
