-- What the page asks for.

-- A link with which a user chooses their password, once. Who never had one has the empty hash, which fits nothing.
ALTER TABLE users ADD COLUMN link_sha256 TEXT;
ALTER TABLE users ADD COLUMN link_expires_at INTEGER;
CREATE UNIQUE INDEX users_link ON users (link_sha256) WHERE link_sha256 IS NOT NULL;

-- Whoever needs somebody to look comes first, and mostly they are few: with everything that a list is narrowed down by, so
-- that none of the others is looked at.
DROP INDEX hosts_stalled;
CREATE INDEX hosts_stalled ON hosts (name, stage, role, cluster, platform, held, adopted, retired, labels, search)
    WHERE stalled = 1;
CREATE INDEX hosts_failed ON hosts (name, stalled, role, cluster, platform, held, adopted, retired, labels, search)
    WHERE stage = 'failed';
