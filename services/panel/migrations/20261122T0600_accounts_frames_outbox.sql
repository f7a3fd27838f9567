-- The panel receiver's own data. Times are UTC milliseconds (*_ms). Nobody else opens this file.

-- Accounts seen or entered. org_id and site_id are null while an account waits for adoption.
CREATE TABLE accounts (
  id TEXT PRIMARY KEY,                      -- UUIDv7
  account TEXT NOT NULL UNIQUE,             -- DC-09 §5.5.1.6: 3 to 16 hexadecimal digits, upper case
  org_id TEXT,
  site_id TEXT,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'active', 'ignored')),
  name TEXT NOT NULL DEFAULT '',
  device_id TEXT,                           -- the panel in core's registry
  area_id TEXT,                             -- where reports of no mapped zone or partition belong
  key_sealed BLOB,                          -- account key, AES-256-GCM under the box's panel key: nonce(12) tag(16) text
  key_bits INTEGER CHECK (key_bits IN (128, 192, 256)),
  require_encryption INTEGER NOT NULL DEFAULT 0 CHECK (require_encryption IN (0, 1)),
  supervision_ms INTEGER CHECK (supervision_ms > 0),
  supervision TEXT NOT NULL DEFAULT 'off' CHECK (supervision IN ('off', 'ok', 'lost')),
  heard_ms INTEGER,                         -- base of the supervision timer: last heard, moved on by time we did not listen
  first_seen_ms INTEGER,
  last_seen_ms INTEGER,
  last_address TEXT,
  transport TEXT CHECK (transport IN ('tcp', 'udp')),
  frames INTEGER NOT NULL DEFAULT 0,        -- frames taken
  bad_frames INTEGER NOT NULL DEFAULT 0,    -- frames refused or not answered
  created_ms INTEGER NOT NULL,
  CHECK (state <> 'active' OR (org_id IS NOT NULL AND site_id IS NOT NULL)),
  CHECK ((supervision = 'off') = (supervision_ms IS NULL OR state <> 'active')),
  CHECK ((key_sealed IS NULL) = (key_bits IS NULL))
) STRICT;

-- The map of an account. Empty partition: any partition; empty zone: the partition itself.
CREATE TABLE zones (
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  partition TEXT NOT NULL,
  zone TEXT NOT NULL,
  name TEXT NOT NULL,
  device_id TEXT,
  area_id TEXT,
  PRIMARY KEY (account_id, partition, zone)
) STRICT, WITHOUT ROWID;

-- Raw frames: a ring bounded by rows and bytes, oldest out first.
CREATE TABLE frames (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  received_ms INTEGER NOT NULL,
  transport TEXT NOT NULL CHECK (transport IN ('tcp', 'udp')),
  address TEXT NOT NULL,
  account TEXT,
  raw BLOB NOT NULL,                        -- from LF to CR as received
  verdict TEXT NOT NULL CHECK (verdict IN ('ack', 'nak', 'duh', 'silent', 'pending')),
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX frames_by_account ON frames (account, id);

-- Last content under each sequence number, so that what a panel sends again is known as such.
CREATE TABLE messages (
  account TEXT NOT NULL,
  path TEXT NOT NULL,                       -- receiver and line as sent
  sequence TEXT NOT NULL,
  content_hash BLOB NOT NULL,               -- without timestamp and pad
  event_id TEXT NOT NULL,                   -- empty for a message refused for its time
  committed_ms INTEGER,                     -- null until core has committed
  acked_ms INTEGER,                         -- when the panel was last answered; null when it was not
  naks INTEGER NOT NULL DEFAULT 0,          -- times this content was refused for its time
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (account, path, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_by_age ON messages (last_ms);

-- Events not yet committed by core, in order. A row goes when core has answered.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL UNIQUE,            -- of the message; its events have this id or one made from it
  frame_id INTEGER,                         -- null for events of our own (supervision)
  account TEXT NOT NULL,
  path TEXT NOT NULL,
  sequence TEXT NOT NULL,
  events TEXT NOT NULL,                     -- JSON array of CloudEvents
  created_ms INTEGER NOT NULL
) STRICT;

-- Audit rows on their way to core.
CREATE TABLE audit_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  body TEXT NOT NULL                        -- JSON of the contract's InternalAudit
) STRICT;

-- One row: until when we listened, so that time we were down is not counted as a panel's silence.
CREATE TABLE listening (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  alive_ms INTEGER NOT NULL
) STRICT;
