-- What an admin set, by name, as JSON; what is not here has its default.
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    -- The name of the token, for people.
    changed_by TEXT NOT NULL
) STRICT;
