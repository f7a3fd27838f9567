CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,                -- signing secret, encrypted with the box's key
  kinds TEXT NOT NULL,                 -- JSON array
  severity_min TEXT NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  created_ms INTEGER NOT NULL,
  last_success_ms INTEGER,
  last_error TEXT,
  failing_since_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE escalations (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  name TEXT NOT NULL,
  severity_min TEXT NOT NULL,
  steps TEXT NOT NULL,                 -- JSON array
  is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  updated_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Everything that leaves the box leaves through here, with an idempotency key, after its cause has committed.
CREATE TABLE outbox (
  id TEXT PRIMARY KEY,                 -- also the idempotency key on the wire
  org_id TEXT NOT NULL,
  channel TEXT NOT NULL CHECK (channel IN ('email', 'webhook')),
  target TEXT NOT NULL,                -- e-mail address or webhook id
  subject TEXT NOT NULL,
  body TEXT NOT NULL,                  -- JSON
  critical INTEGER NOT NULL CHECK (critical IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'gave_up')),
  attempts INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL,
  next_ms INTEGER NOT NULL,
  delivered_ms INTEGER,
  last_error TEXT,
  incident_id TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (next_ms) WHERE state = 'pending';
CREATE INDEX outbox_by_incident ON outbox (incident_id) WHERE incident_id IS NOT NULL;
