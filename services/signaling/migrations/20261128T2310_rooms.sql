-- Rooms of talk: groups, and one for each incident. Who is in them is what the signed statements say; rows of members are those
-- statements, read. Times are UTC milliseconds (*_ms); events are ciphertext.

CREATE TABLE rooms (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('group', 'incident')),
  incident_id TEXT UNIQUE,
  scopes TEXT NOT NULL,                     -- JSON array of scope keys: of the incident; empty for a group
  created_ms INTEGER NOT NULL,
  active_ms INTEGER NOT NULL,               -- last event, statement, or change of the incident: what it is kept by
  last_seq INTEGER NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
  statements INTEGER NOT NULL DEFAULT 0 CHECK (statements >= 0),
  head TEXT NOT NULL DEFAULT '',            -- SHA-256 (hex) of the last statement's text; empty before the first
  CHECK ((kind = 'incident') = (incident_id IS NOT NULL)),
  CHECK ((statements = 0) = (head = ''))
) STRICT;
CREATE INDEX rooms_by_activity ON rooms (active_ms);

-- The hash chain of who is in, as it was signed.
CREATE TABLE statements (
  room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  n INTEGER NOT NULL CHECK (n >= 0),        -- counts from 0 without a gap
  hash TEXT NOT NULL CHECK (length(hash) = 64), -- SHA-256 (hex) of the signed text
  body TEXT NOT NULL,                       -- JSON of the contract's MembershipStatement
  PRIMARY KEY (room_id, n)
) STRICT, WITHOUT ROWID;

-- Who was in when, counted in statements: from `from_n` of them on, until there were `until_n`.
CREATE TABLE room_members (
  room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  from_n INTEGER NOT NULL CHECK (from_n > 0),
  until_n INTEGER,                          -- null: still in
  is_served INTEGER NOT NULL CHECK (is_served IN (0, 1)), -- whether the members were last told that he is delivered to
  PRIMARY KEY (room_id, user_id, from_n),
  CHECK (until_n > from_n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX room_members_now ON room_members (user_id, room_id) WHERE until_n IS NULL;

CREATE TABLE room_events (
  room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL CHECK (seq > 0),     -- counts up in the room
  event_id TEXT NOT NULL,                   -- made by the sender
  sender_id TEXT NOT NULL,                  -- user
  sender_device TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  content TEXT NOT NULL,                    -- JSON of the ciphertext with its headers
  PRIMARY KEY (room_id, seq),
  UNIQUE (room_id, event_id)
) STRICT;
CREATE INDEX room_events_by_age ON room_events (at_ms);

-- How far each member has read.
CREATE TABLE room_reads (
  room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  seq INTEGER NOT NULL CHECK (seq > 0),
  PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;
