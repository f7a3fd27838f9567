-- What people keep on the box: files, copies of keys, their 1:1 history, secrets. All of it is ciphertext that the box cannot open.
-- Times are UTC milliseconds (*_ms), sizes bytes.

-- People who were deleted: what they kept opens nothing any more, and goes in slices. A row goes last.
CREATE TABLE forgotten_people (
  user_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Files. The content is <id> in the directory of files; a row is ready only once its content is durable.
CREATE TABLE files (
  id TEXT PRIMARY KEY,                      -- UUIDv7
  org_id TEXT NOT NULL,
  owner_id TEXT NOT NULL,                   -- user who uploaded it, and whose space it takes
  room_id TEXT,                             -- for who is in this room; null: for people. No reference: rooms may go before
  room_n INTEGER,                           -- statements of the room when it was uploaded: who was in then may fetch it
  bytes INTEGER NOT NULL CHECK (bytes > 0),
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready')),
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,              -- content and row go then
  CHECK ((room_id IS NULL) = (room_n IS NULL))
) STRICT;
CREATE INDEX files_by_owner ON files (owner_id, bytes);
CREATE INDEX files_by_age ON files (expires_ms);

-- People whom a file is for, besides its owner.
CREATE TABLE file_audience (
  file_id TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  PRIMARY KEY (file_id, user_id)
) STRICT, WITHOUT ROWID;

-- Secrets of a person, sealed with his recovery secret.
CREATE TABLE secrets (
  user_id TEXT PRIMARY KEY,
  box TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version > 0), -- counts up with each replacement
  updated_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Backup of room keys (Matrix C-S API §11.12.3.2); a new one ends the one before.
CREATE TABLE backups (
  user_id TEXT PRIMARY KEY,
  version INTEGER NOT NULL CHECK (version > 0), -- counts up and never comes again for a person
  algorithm TEXT NOT NULL,
  auth_data TEXT NOT NULL,                  -- JSON: public key and signatures
  etag INTEGER NOT NULL DEFAULT 0,          -- counts up whenever a key was stored
  sessions INTEGER NOT NULL DEFAULT 0 CHECK (sessions >= 0), -- rows in backup_keys of this version
  bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0) -- of their session_data
) STRICT, WITHOUT ROWID;

-- Keys of a backup. Those of one that has ended go in slices.
CREATE TABLE backup_keys (
  user_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  room_id TEXT NOT NULL,                    -- as the encryption library names it
  session_id TEXT NOT NULL,
  first_message_index INTEGER NOT NULL,
  forwarded_count INTEGER NOT NULL,
  is_verified INTEGER NOT NULL CHECK (is_verified IN (0, 1)),
  session_data TEXT NOT NULL,               -- JSON of the encrypted key
  PRIMARY KEY (user_id, version, room_id, session_id)
) STRICT;
CREATE INDEX backup_keys_by_room ON backup_keys (room_id);

-- Encrypted copies of 1:1 history. A row that is replaced goes to the end, so that who reads on from where he was gets it.
CREATE TABLE archive (
  user_id TEXT NOT NULL,
  id TEXT NOT NULL,                         -- message
  seq INTEGER NOT NULL CHECK (seq > 0),     -- counts up for each person
  box TEXT NOT NULL,
  PRIMARY KEY (user_id, id)
) STRICT;
CREATE UNIQUE INDEX archive_by_seq ON archive (user_id, seq);

-- What of a person's archive is there, so that nobody has to add it up.
CREATE TABLE archive_use (
  user_id TEXT PRIMARY KEY,
  last_seq INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0)
) STRICT, WITHOUT ROWID;
