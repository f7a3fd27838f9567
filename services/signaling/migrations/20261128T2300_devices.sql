-- Signaling's own data: what secure talk keeps. Times are UTC milliseconds (*_ms). Nobody else opens this file, and nothing in
-- it is plaintext of anybody.

-- One row: up to where the parts of talk have heard core's feed.
CREATE TABLE feed_position (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  seq INTEGER NOT NULL
) STRICT;

-- Calls of core, in order. A row goes when core has answered; one that core will never take stays with the reason.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('event', 'post')),
  path TEXT NOT NULL,                       -- path of core's internal API
  body TEXT NOT NULL,                       -- JSON: one event, or the body
  created_ms INTEGER NOT NULL,
  refused TEXT                              -- why core will never take it
) STRICT;
CREATE INDEX outbox_waiting ON outbox (id) WHERE refused IS NULL;
CREATE INDEX outbox_refused ON outbox (id) WHERE refused IS NOT NULL;

-- Core's last answer on who works here: talk goes on while core is down.
CREATE TABLE people (
  id TEXT PRIMARY KEY,                      -- user
  body TEXT NOT NULL                        -- JSON of the contract's InternalPerson
) STRICT, WITHOUT ROWID;

-- Where incidents are, from core's feed: who may see an incident may see its room.
CREATE TABLE incidents (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  scopes TEXT NOT NULL                      -- JSON array of scope keys
) STRICT, WITHOUT ROWID;

-- Devices of people. A row without device_keys was made and not used yet.
CREATE TABLE devices (
  id TEXT PRIMARY KEY CHECK (length(id) = 10),
  user_id TEXT NOT NULL,
  org_id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('personal', 'shared')),
  share_sealed BLOB NOT NULL,               -- our half of the store key, AES-256-GCM under SIGNALING_KEY, bound to id and user
  made_by_sid TEXT NOT NULL,                -- session that made it: it alone may upload the device keys
  created_ms INTEGER NOT NULL,
  last_used_ms INTEGER NOT NULL,
  device_keys TEXT,                         -- JSON of the contract's DeviceKeys, as signed; never changes but for signatures
  ed25519 TEXT UNIQUE,                      -- unpadded base64, out of device_keys
  lists_upto INTEGER NOT NULL,              -- up to here it has been told of changed device lists
  queue_rows INTEGER NOT NULL DEFAULT 0 CHECK (queue_rows >= 0),
  queue_bytes INTEGER NOT NULL DEFAULT 0 CHECK (queue_bytes >= 0),
  CHECK ((device_keys IS NULL) = (ed25519 IS NULL))
) STRICT;
CREATE INDEX devices_by_user ON devices (user_id);

-- Ids of removed devices, so that one that comes back is told to wipe itself. Kept for a year and a month.
CREATE TABLE removed_devices (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  removed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sessions that have proved to be a device.
CREATE TABLE attachments (
  sid TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  attached_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_by_device ON attachments (device_id);
CREATE INDEX attachments_by_user ON attachments (user_id);

-- One-time keys, each given out once. One that was given out stays for a week, so that it is not taken in a second time.
CREATE TABLE one_time_keys (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  key_id TEXT NOT NULL,                     -- with its algorithm: signed_curve25519:AAAAHg
  body TEXT NOT NULL,                       -- JSON of the contract's SignedOneTimeKey
  claimed_ms INTEGER,
  UNIQUE (device_id, key_id)
) STRICT;
CREATE INDEX one_time_keys_unclaimed ON one_time_keys (device_id, n) WHERE claimed_ms IS NULL;

-- The key that is given out again and again when no one-time key is left.
CREATE TABLE fallback_keys (
  device_id TEXT PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
  key_id TEXT NOT NULL,
  body TEXT NOT NULL,
  is_used INTEGER NOT NULL CHECK (is_used IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Cross-signing identities.
CREATE TABLE identities (
  user_id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  master_key TEXT NOT NULL,                 -- JSON of the contract's CrossSigningKey, with the signatures of its owner
  self_signing_key TEXT NOT NULL,
  user_signing_key TEXT NOT NULL,
  changed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Signatures over identities of others, made by who verified them and shown to him alone.
CREATE TABLE user_signatures (
  signer_id TEXT NOT NULL,                  -- user
  target_id TEXT NOT NULL,                  -- user
  master_key TEXT NOT NULL,                 -- public master key that was signed
  key_id TEXT NOT NULL,                     -- ed25519:<user-signing key of the signer>
  signature TEXT NOT NULL,
  PRIMARY KEY (signer_id, target_id)
) STRICT, WITHOUT ROWID;

-- When the devices or the identity of somebody last changed. Positions count up over all and never come again.
CREATE TABLE list_changes (
  user_id TEXT NOT NULL,
  viewer_id TEXT NOT NULL,                  -- the only user who sees this change; empty for the whole organisation
  org_id TEXT NOT NULL,
  pos INTEGER NOT NULL,
  PRIMARY KEY (user_id, viewer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX list_changes_by_pos ON list_changes (pos);

-- Last number given out: for positions in queues and of device lists.
CREATE TABLE positions (
  name TEXT PRIMARY KEY CHECK (name IN ('queue', 'lists')),
  last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What waits for devices, until each has said that it has it.
CREATE TABLE queue (
  device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  pos INTEGER NOT NULL,                     -- order of the commits
  at_ms INTEGER NOT NULL,
  body TEXT,                                -- JSON of the contract's QueueItem but pos and at; null: an event of a room
  room_id TEXT,
  room_seq INTEGER,
  bytes INTEGER NOT NULL CHECK (bytes > 0),
  PRIMARY KEY (device_id, pos),
  CHECK ((body IS NULL) = (room_id IS NOT NULL) AND (room_id IS NULL) = (room_seq IS NULL))
) STRICT, WITHOUT ROWID;

-- Calls that were taken, so that the same again is the same: to-device messages for a day, direct ones for a month.
CREATE TABLE taken_calls (
  device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE, -- of the sender
  call_id TEXT NOT NULL,                    -- to_device:<type>:<txn> or direct:<message id>
  answer TEXT NOT NULL,                     -- JSON
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (device_id, call_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX taken_calls_by_age ON taken_calls (at_ms);
