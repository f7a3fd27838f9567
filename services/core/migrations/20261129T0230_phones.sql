-- Who is on duty, as signaling told: groups of phones ring them.
CREATE TABLE user_duty (
  user_id TEXT PRIMARY KEY REFERENCES users (id),
  on_duty INTEGER NOT NULL CHECK (on_duty IN (0, 1)),
  at_ms INTEGER NOT NULL               -- UTC ms, when he said so; what is older than it changes nothing
) STRICT, WITHOUT ROWID;

-- Calls for an alarm that a rule ordered. Rules call for an incident once: what comes into an open one rings nobody again.
CREATE TABLE alarm_call_orders (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  incident_id TEXT NOT NULL REFERENCES incidents (id),
  rule_id TEXT NOT NULL,
  say TEXT NOT NULL,                   -- spoken text, filled
  targets TEXT NOT NULL,               -- JSON array of {user_id, number}, in the order of calling, bounded; either is null
  rounds INTEGER NOT NULL CHECK (rounds BETWEEN 1 AND 5),
  ring_s INTEGER NOT NULL CHECK (ring_s BETWEEN 10 AND 120), -- seconds
  ordered_ms INTEGER NOT NULL,         -- UTC ms
  UNIQUE (incident_id, rule_id)
) STRICT, WITHOUT ROWID;
