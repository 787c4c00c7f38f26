//! The embedded store: SQLite in WAL mode, group commit, one door.
