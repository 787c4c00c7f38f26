-- Who may do what on the control plane, and who did.

ALTER TABLE tokens ADD COLUMN created_by TEXT;
-- To the minute: not every request is written down.
ALTER TABLE tokens ADD COLUMN last_used_at INTEGER;

-- How a request with an Idempotency-Key was answered: the same again is answered alike. Sealed by the caller.
CREATE TABLE kept_answers (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_answers_at ON kept_answers (at);

-- Every change and every read of a secret. Names, not references: it outlives what it speaks of.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    caller TEXT NOT NULL,
    role TEXT NOT NULL,
    source TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    status INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_caller ON audit (caller, number);
CREATE INDEX audit_action ON audit (action, number);
CREATE INDEX audit_target ON audit (target, number);
