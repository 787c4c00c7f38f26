-- Fixed addresses, each of one host only. In the order of their numbers: IPv4 mapped into IPv6, as 32 hex digits.
CREATE TABLE addresses (
    address TEXT PRIMARY KEY CHECK (length(address) = 32),
    host_id INTEGER NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    -- Taken from a VLAN's pool: stays the host's, whatever its description says, until the host is deleted.
    leased INTEGER NOT NULL CHECK (leased IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX addresses_host ON addresses (host_id);

-- Package repositories and their GPG keys: no secrets. JSON holds the domain's own type.
CREATE TABLE repositories (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    repository TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What every host of a role has; a role without a row has its built-in defaults.
CREATE TABLE role_defaults (
    role TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    defaults TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A card that is named as a bond's port is the host's as much as one that is listed. Where two hosts name one, the
-- older host keeps it.
INSERT OR IGNORE INTO identifiers (kind, value, host_id)
SELECT 'mac', port.value, hosts.id
FROM hosts, json_each(hosts.host, '$.network.bond.ports') AS port
ORDER BY hosts.id;

-- Addresses of hosts that an earlier version wrote are read once, at the next start.
ALTER TABLE meta ADD COLUMN addresses_read INTEGER NOT NULL DEFAULT 0;
