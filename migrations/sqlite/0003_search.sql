-- Lists with filters and search look at one narrow index in the order of names, never at the rows' JSON.

ALTER TABLE hosts ADD COLUMN stalled INTEGER NOT NULL DEFAULT 0;
UPDATE hosts SET stalled = 1
WHERE run ->> '$.stalled_since' IS NOT NULL AND stage NOT IN ('ready', 'failed', 'cancelled');

ALTER TABLE hosts ADD COLUMN role TEXT GENERATED ALWAYS AS (host ->> '$.role') VIRTUAL;
ALTER TABLE hosts ADD COLUMN cluster TEXT GENERATED ALWAYS AS (host ->> '$.cluster') VIRTUAL;
ALTER TABLE hosts ADD COLUMN platform TEXT GENERATED ALWAYS AS (host ->> '$.platform') VIRTUAL;
ALTER TABLE hosts ADD COLUMN held INTEGER GENERATED ALWAYS AS ((host ->> '$.hold') IS NOT NULL) VIRTUAL;
ALTER TABLE hosts ADD COLUMN adopted INTEGER GENERATED ALWAYS AS (coalesce(host ->> '$.adopted', 0)) VIRTUAL;
ALTER TABLE hosts ADD COLUMN retired INTEGER GENERATED ALWAYS AS (coalesce(host ->> '$.retired', 0)) VIRTUAL;

-- A line each, in lower case: name, identifiers, addresses, labels. Null: written by an older version, filled at opening.
ALTER TABLE hosts ADD COLUMN search TEXT;
-- A line each, as they are: key=value.
ALTER TABLE hosts ADD COLUMN labels TEXT;

CREATE INDEX hosts_facets ON hosts (name, stage, stalled, role, cluster, platform, held, adopted, retired, labels, search);
-- For counts.
CREATE INDEX hosts_stalled ON hosts (name) WHERE stalled = 1;
CREATE INDEX hosts_held ON hosts (name) WHERE held = 1;
CREATE INDEX hosts_retired ON hosts (name) WHERE retired = 1;
