-- What Kamailio reported: calls, door stations, and reports nobody could read. Times are UTC milliseconds (*_ms).

-- Calls, those that go on (ended_ms is null) and those of the last 90 days. Names are those of the time of the call.
CREATE TABLE calls (
  id TEXT PRIMARY KEY,                      -- UUIDv7, as shown
  call_id TEXT NOT NULL UNIQUE,             -- SIP Call-ID of the caller's leg
  org_id TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('internal', 'inbound', 'outbound', 'emergency', 'drill', 'alarm')),
  state TEXT NOT NULL CHECK (state IN ('ringing', 'answered', 'held', 'ended')),
  outcome TEXT CHECK (outcome IN ('answered', 'missed', 'busy', 'refused', 'failed', 'cancelled')),
  reason TEXT,                              -- in words, why it did not come about
  from_number TEXT NOT NULL,
  from_name TEXT NOT NULL,
  from_user_id TEXT,
  to_number TEXT NOT NULL,
  to_name TEXT NOT NULL,
  to_user_id TEXT,
  dialled TEXT NOT NULL,
  answered_by TEXT,                         -- number that answered
  trunk_id TEXT,
  trunk_name TEXT,
  relayed INTEGER NOT NULL CHECK (relayed IN (0, 1)), -- media goes through the box
  door_number TEXT,                         -- extension of the door station that rings or is rung
  door_id TEXT,                             -- device that it opens
  camera_id TEXT,                           -- device that shows who stands there
  incident_id TEXT,
  started_ms INTEGER NOT NULL,
  answered_ms INTEGER CHECK (answered_ms >= started_ms),
  ended_ms INTEGER CHECK (ended_ms >= started_ms),
  heard_ms INTEGER NOT NULL,                -- when its last report came: a call that is silent for too long has ended
  steps TEXT,                               -- JSON of the reports it is made of; null once no further report is expected
  CHECK ((ended_ms IS NULL) = (outcome IS NULL)),
  CHECK ((ended_ms IS NULL) = (state <> 'ended'))
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_by_start ON calls (started_ms, id);
CREATE INDEX calls_live ON calls (started_ms) WHERE ended_ms IS NULL;
CREATE INDEX calls_with_steps ON calls (ended_ms) WHERE ended_ms IS NOT NULL AND steps IS NOT NULL;

-- Whose call it is: who called, who was called (members of a group too), who answered.
CREATE TABLE call_users (
  user_id TEXT NOT NULL,
  started_ms INTEGER NOT NULL,              -- of the call, for its place in the list
  call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
  is_caller INTEGER NOT NULL CHECK (is_caller IN (0, 1)),
  PRIMARY KEY (user_id, started_ms, call)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_users_by_call ON call_users (call);

-- Where it took place, as scope keys: whoever may read phones in one of them sees it.
CREATE TABLE call_scopes (
  call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
  scope TEXT NOT NULL,
  PRIMARY KEY (call, scope)
) STRICT, WITHOUT ROWID;

-- Doors that were opened, or were to be, out of a call.
CREATE TABLE call_openings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
  at_ms INTEGER NOT NULL,
  by TEXT NOT NULL,                         -- name of who did
  how TEXT NOT NULL CHECK (how IN ('button', 'digit')),
  ok INTEGER NOT NULL CHECK (ok IN (0, 1)), -- core took the command
  detail TEXT NOT NULL,                     -- in words
  command_id TEXT                           -- core's
) STRICT;
CREATE INDEX call_openings_by_call ON call_openings (call);

-- The last visit at each door station: who rings again within a minute is the same visitor, missed once.
CREATE TABLE door_visits (
  door_number TEXT PRIMARY KEY,
  last_ms INTEGER NOT NULL,                 -- last ring, answer or end
  missed INTEGER NOT NULL CHECK (missed IN (0, 1)) -- core was told that nobody answered
) STRICT, WITHOUT ROWID;

-- Reports that could not be read or taken, with the reason; the newest thousand.
CREATE TABLE dead_reports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  body TEXT NOT NULL UNIQUE,                -- as it came, cut at 4,096 characters
  reason TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
