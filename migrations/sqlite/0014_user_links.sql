-- A link with which a user chooses their password, once. Who never had one has the empty hash, which fits nothing.

ALTER TABLE users ADD COLUMN link_sha256 TEXT;
ALTER TABLE users ADD COLUMN link_expires_at INTEGER;
CREATE UNIQUE INDEX users_link ON users (link_sha256) WHERE link_sha256 IS NOT NULL;
