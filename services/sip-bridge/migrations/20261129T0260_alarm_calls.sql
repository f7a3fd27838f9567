-- Calls for alarms that rules ordered, and whom they reached. Times are UTC milliseconds (*_ms).
CREATE TABLE alarm_calls (
  id TEXT PRIMARY KEY,                      -- of core's order
  org_id TEXT NOT NULL,
  incident_id TEXT NOT NULL,
  say TEXT NOT NULL,
  targets TEXT NOT NULL,                    -- JSON array of {user_id, number}, in the order of calling
  rounds INTEGER NOT NULL CHECK (rounds >= 1),
  ring_s INTEGER NOT NULL CHECK (ring_s >= 1), -- seconds
  scopes TEXT NOT NULL,                     -- JSON array: the place of the incident and what lies above it
  state TEXT NOT NULL CHECK (state IN ('calling', 'acknowledged', 'exhausted', 'stopped')),
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  CHECK ((state = 'calling') = (ended_ms IS NULL))
) STRICT;
CREATE INDEX alarm_calls_by_start ON alarm_calls (org_id, started_ms, id);
CREATE INDEX alarm_calls_by_incident ON alarm_calls (incident_id);
CREATE INDEX alarm_calls_going_on ON alarm_calls (id) WHERE state = 'calling';

-- One for each person and round, whether he could be called or not: their number says whose turn it is.
CREATE TABLE alarm_call_attempts (
  alarm_call_id TEXT NOT NULL REFERENCES alarm_calls (id) ON DELETE CASCADE,
  n INTEGER NOT NULL CHECK (n >= 0),        -- counts up from 0
  number TEXT NOT NULL,                     -- as dialled; empty for who has none
  name TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('ringing', 'speaking', 'acknowledged', 'declined', 'no_answer', 'busy', 'failed', 'no_key')),
  detail TEXT NOT NULL,
  PRIMARY KEY (alarm_call_id, n)
) STRICT, WITHOUT ROWID;
