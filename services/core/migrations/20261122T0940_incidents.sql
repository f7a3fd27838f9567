CREATE TABLE procedures (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  name TEXT NOT NULL,
  steps TEXT NOT NULL,                 -- JSON array of {text, required}
  updated_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE incidents (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  site_id TEXT NOT NULL,
  number INTEGER NOT NULL,             -- counts up per org
  title TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('info', 'low', 'medium', 'high', 'critical')),
  state TEXT NOT NULL CHECK (state IN ('new', 'acknowledged', 'assigned', 'resolved', 'closed')),
  area_id TEXT,
  device_id TEXT,
  device_ids TEXT NOT NULL DEFAULT '[]', -- JSON array, bounded
  rule_id TEXT,
  group_key TEXT,                      -- an open incident with it takes further events of its rule
  opened_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  event_count INTEGER NOT NULL,
  last_event_ms INTEGER,
  late_ms INTEGER NOT NULL DEFAULT 0,
  acknowledged_by TEXT,                -- JSON {id, name}
  acknowledged_ms INTEGER,
  assignee TEXT,                       -- JSON {id, name}
  resolved_by TEXT,                    -- JSON {id, name}
  resolved_ms INTEGER,
  resolution TEXT,                     -- JSON {code, note}
  steps TEXT NOT NULL DEFAULT '[]',    -- JSON array of IncidentStep
  escalation_id TEXT,
  escalation_level INTEGER NOT NULL DEFAULT 0,
  test INTEGER NOT NULL DEFAULT 0 CHECK (test IN (0, 1)),
  revision INTEGER NOT NULL DEFAULT 1,
  trace_id TEXT NOT NULL,
  UNIQUE (org_id, number)
) STRICT, WITHOUT ROWID;
-- At most one open incident per rule and key: what keeps a storm from opening hundreds.
CREATE UNIQUE INDEX incidents_open_group ON incidents (group_key) WHERE group_key IS NOT NULL AND state IN ('new', 'acknowledged', 'assigned');
CREATE INDEX incidents_by_state ON incidents (org_id, state, number);

CREATE TABLE timeline (
  seq INTEGER PRIMARY KEY,             -- feed position of its change
  id TEXT NOT NULL UNIQUE,
  org_id TEXT NOT NULL,
  incident_id TEXT NOT NULL REFERENCES incidents (id),
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,                 -- JSON {kind, id, name}
  text TEXT NOT NULL,
  data TEXT NOT NULL                   -- JSON
) STRICT;
CREATE INDEX timeline_by_incident ON timeline (incident_id, seq);

CREATE TABLE attachments (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  incident_id TEXT NOT NULL REFERENCES incidents (id),
  name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX attachments_by_incident ON attachments (incident_id);
