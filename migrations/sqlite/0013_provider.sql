-- A machine at its provider is one host's: it is rebooted and reinstalled by that id.
CREATE TABLE identifiers_with_devices (
    kind TEXT NOT NULL CHECK (kind IN ('mac', 'serial', 'uuid', 'device')),
    value TEXT NOT NULL,
    host_id INTEGER NOT NULL REFERENCES hosts (id),
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
INSERT INTO identifiers_with_devices (kind, value, host_id) SELECT kind, value, host_id FROM identifiers;
DROP TABLE identifiers;
ALTER TABLE identifiers_with_devices RENAME TO identifiers;
CREATE INDEX identifiers_host ON identifiers (host_id);
