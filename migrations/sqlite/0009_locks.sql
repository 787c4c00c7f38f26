-- What admins said of groups of hosts that share a budget of reboots; others have the built-in settings. JSON holds the
-- domain's own type.
CREATE TABLE lock_groups (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    settings TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A host has one place: it waits, or holds one slot, or did. Nothing in here ends by itself.
CREATE TABLE lock_slots (
    host_id INTEGER PRIMARY KEY REFERENCES hosts (id) ON DELETE CASCADE,
    group_name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'reserved', 'granted', 'released')),
    -- 0 is down already and goes before 1.
    turn INTEGER NOT NULL CHECK (turn IN (0, 1)),
    since INTEGER NOT NULL,
    asked_at INTEGER NOT NULL,
    -- Never begins anew: says which slot a release means.
    asks INTEGER NOT NULL,
    reason TEXT NOT NULL,
    note TEXT
) STRICT;
CREATE INDEX lock_slots_group ON lock_slots (group_name, state, turn, since, host_id) WHERE state <> 'released';
