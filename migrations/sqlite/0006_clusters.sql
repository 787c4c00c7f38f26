-- JSON columns hold the domain's own types; what is secret is sealed by the caller.
CREATE TABLE clusters (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    -- Its description, who began it and who is joining.
    cluster TEXT NOT NULL,
    tokens BLOB NOT NULL,
    kubeconfig BLOB
) STRICT, WITHOUT ROWID;

-- Whose hosts: asked at every join.
CREATE INDEX hosts_cluster ON hosts (host ->> '$.cluster') WHERE host ->> '$.cluster' IS NOT NULL;
