CREATE TABLE rules (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  site_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  builtin TEXT,                        -- name of the ready rule it came from
  definition TEXT NOT NULL,            -- JSON, contract RuleInput
  updated_ms INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  last_fired_ms INTEGER,
  fired_count INTEGER NOT NULL DEFAULT 0,
  deleted_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE rule_versions (
  rule_id TEXT NOT NULL REFERENCES rules (id),
  version INTEGER NOT NULL,
  definition TEXT NOT NULL,            -- JSON
  updated_ms INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  PRIMARY KEY (rule_id, version)
) STRICT, WITHOUT ROWID;

-- State of a condition per rule and key. By rule, not by version: an edit does not forget.
CREATE TABLE rule_states (
  rule_id TEXT NOT NULL,
  key TEXT NOT NULL,
  org_id TEXT NOT NULL,
  state TEXT NOT NULL,                 -- JSON, as @siphera/rules keeps it
  PRIMARY KEY (rule_id, key)
) STRICT, WITHOUT ROWID;

-- A ring, bounded in bytes: why rules did and did not fire.
CREATE TABLE rule_traces (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  org_id TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  rule_name TEXT NOT NULL,
  rule_version INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('fired', 'near_miss')),
  reason TEXT NOT NULL,
  event_seq INTEGER,
  incident_id TEXT,
  key TEXT NOT NULL,
  steps TEXT NOT NULL,                 -- JSON
  bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX rule_traces_by_rule ON rule_traces (rule_id, n);
CREATE INDEX rule_traces_by_event ON rule_traces (event_seq) WHERE event_seq IS NOT NULL;
