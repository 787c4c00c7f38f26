-- Every version of every template. The last one of a name counts, unless it took the template away.
CREATE TABLE templates (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    text TEXT NOT NULL,
    -- Which hosts it is for, as JSON.
    selection TEXT NOT NULL,
    merge_order INTEGER NOT NULL,
    note TEXT,
    saved_at INTEGER NOT NULL,
    saved_by TEXT NOT NULL,
    is_deleted INTEGER NOT NULL CHECK (is_deleted IN (0, 1)),
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

-- The installed config of the current run and of the last run that was installed, sealed by the caller.
CREATE TABLE installed_documents (
    host_id INTEGER NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    run INTEGER NOT NULL,
    sha512 TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (host_id, run)
) STRICT;
