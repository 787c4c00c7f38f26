-- Times are milliseconds since 1970. JSON columns hold the domain's own types as they are on the wire.

-- One row: what must survive beside the hosts.
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- Which life of the database this is; the epoch file beside the master key says the same.
    epoch TEXT NOT NULL,
    -- Rises whenever a permit is given away or taken back: an older copy is recognised by it.
    permit_seq INTEGER NOT NULL,
    last_time INTEGER NOT NULL,
    last_event INTEGER NOT NULL,
    -- Numbers of hosts stand in secrets: they are counted here, not by the rows, and never used twice.
    last_host INTEGER NOT NULL,
    -- By which deadlines every due_at was reckoned, as JSON.
    deadlines TEXT
) STRICT;

CREATE TABLE hosts (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    name TEXT NOT NULL UNIQUE,
    -- Of the run, for those who look for permits.
    stage TEXT,
    -- When the run must be looked at again.
    due_at INTEGER,
    host TEXT NOT NULL,
    run TEXT,
    observed TEXT
) STRICT;
CREATE INDEX hosts_due ON hosts (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE identifiers (
    kind TEXT NOT NULL CHECK (kind IN ('mac', 'serial', 'uuid')),
    value TEXT NOT NULL,
    host_id INTEGER NOT NULL REFERENCES hosts (id),
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX identifiers_host ON identifiers (host_id);

-- Runs before the current one.
CREATE TABLE runs (
    host_id INTEGER NOT NULL REFERENCES hosts (id),
    number INTEGER NOT NULL,
    run TEXT NOT NULL,
    PRIMARY KEY (host_id, number)
) STRICT, WITHOUT ROWID;

-- What the current run is served, sealed by the caller.
CREATE TABLE documents (
    host_id INTEGER NOT NULL REFERENCES hosts (id),
    kind TEXT NOT NULL,
    run INTEGER NOT NULL,
    sha512 TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (host_id, kind)
) STRICT;

-- How each report was answered: the same again is answered alike.
CREATE TABLE reports (
    host_id INTEGER NOT NULL REFERENCES hosts (id),
    run INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (host_id, run, boot_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (id),
    at INTEGER NOT NULL,
    entry TEXT NOT NULL
) STRICT;
CREATE INDEX events_host ON events (host_id, number);

CREATE TABLE unknown_machines (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    identity TEXT NOT NULL,
    source TEXT NOT NULL,
    said TEXT NOT NULL,
    why TEXT,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    count INTEGER NOT NULL,
    UNIQUE (identity, source)
) STRICT;
CREATE INDEX unknown_machines_seen ON unknown_machines (last_seen);

CREATE TABLE tokens (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;
