-- Everything that changed but events, in commit order. Together with `events` (same counter) this is the feed.
CREATE TABLE changes (
  seq INTEGER PRIMARY KEY,             -- position in the feed, shared with events.seq
  at_ms INTEGER NOT NULL,              -- UTC ms of the commit
  kind TEXT NOT NULL,                  -- contract FeedKind
  action TEXT NOT NULL CHECK (action IN ('created', 'updated', 'deleted')),
  ref_id TEXT NOT NULL,                -- id of the thing
  org_id TEXT NOT NULL,
  audience TEXT NOT NULL,              -- permission that may see it
  scopes TEXT NOT NULL,                -- JSON array of scope keys: itself and everything above
  trace_id TEXT,
  data TEXT                            -- JSON of the resource as REST shows it; null when deleted
) STRICT;
CREATE INDEX changes_by_age ON changes (at_ms);

-- Small facts about the box itself: feed counter, incident number, box id.
CREATE TABLE facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL                  -- JSON
) STRICT, WITHOUT ROWID;

-- First answer to a request with an Idempotency-Key, given again for a day.
CREATE TABLE idempotency (
  actor_id TEXT NOT NULL,
  operation TEXT NOT NULL,
  key TEXT NOT NULL,
  input_sha256 TEXT NOT NULL,          -- the same key with another input is refused
  answer TEXT NOT NULL,                -- JSON
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (actor_id, operation, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (at_ms);

-- Every timer of the box is a row, so that a restart changes no outcome.
CREATE TABLE timers (
  owner TEXT NOT NULL,                 -- part that set it: rules, commands, escalation, devices
  key TEXT NOT NULL,                   -- the owner's own name for it
  org_id TEXT NOT NULL,
  due_ms INTEGER NOT NULL,             -- UTC ms
  payload TEXT NOT NULL,               -- JSON for the owner
  PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_by_due ON timers (due_ms);
