-- Footage: where it lies, what there is of it, where it is missing, what must outlive its retention. Times are UTC milliseconds.

-- Directories that take footage. A disk is known by the id in a file of its root, not by its path.
CREATE TABLE storages (
  id TEXT PRIMARY KEY,                      -- stands in the identity file too
  name TEXT NOT NULL,
  path TEXT NOT NULL UNIQUE,
  head_room_bytes INTEGER NOT NULL CHECK (head_room_bytes >= 0), -- left free for everything else
  quota_bytes INTEGER CHECK (quota_bytes > 0),
  created_ms INTEGER NOT NULL,
  failed_ms INTEGER                         -- since when it cannot be used; core was told
) STRICT, WITHOUT ROWID;

-- Files of footage. A row without to_ms belongs to a file that grows, or that grew when the service died.
CREATE TABLE segments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  camera_id TEXT NOT NULL,
  storage_id TEXT NOT NULL REFERENCES storages (id),
  file TEXT NOT NULL,                       -- below the storage's path
  from_ms INTEGER NOT NULL,
  to_ms INTEGER,
  bytes INTEGER NOT NULL DEFAULT 0,
  init_bytes INTEGER NOT NULL,              -- length of ftyp and moov
  mime TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  judged INTEGER NOT NULL DEFAULT 0 CHECK (judged IN (0, 1, 2)), -- 0 not yet, 1 kept, 2 kept and something happened then
  fragments BLOB NOT NULL DEFAULT x'',      -- domain/fragment-table.ts: length, time and key flag of each
  CHECK (to_ms IS NULL OR to_ms >= from_ms)
) STRICT;
CREATE INDEX segments_by_camera ON segments (camera_id, from_ms);
CREATE INDEX segments_by_storage ON segments (storage_id, from_ms);
CREATE INDEX segments_unjudged ON segments (from_ms) WHERE judged = 0;

-- Files that must go: written in the transaction that takes the segment away, removed when the directory is synced.
CREATE TABLE garbage (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  storage_id TEXT NOT NULL,
  file TEXT NOT NULL,
  why TEXT NOT NULL
) STRICT;

-- What a camera reported: motion as spans (to_ms null: goes on), events as moments. Decides what is kept; shown on the timeline.
CREATE TABLE happenings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  camera_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('motion', 'event', 'keep')),
  from_ms INTEGER NOT NULL,
  to_ms INTEGER,
  type TEXT NOT NULL DEFAULT '',
  title TEXT NOT NULL DEFAULT '',
  event_id TEXT
) STRICT;
CREATE INDEX happenings_by_camera ON happenings (camera_id, from_ms);
CREATE INDEX happenings_open ON happenings (camera_id) WHERE to_ms IS NULL;

-- Where footage should be and is not.
CREATE TABLE gaps (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  camera_id TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER,                            -- null while it goes on
  why TEXT NOT NULL,
  told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)) -- recording_lost went to core; restored is owed
) STRICT;
CREATE INDEX gaps_by_camera ON gaps (camera_id, from_ms);
CREATE INDEX gaps_open ON gaps (camera_id) WHERE to_ms IS NULL;

-- Evidence locks: footage of these times is deleted by nobody until they end or are lifted.
CREATE TABLE locks (
  id TEXT PRIMARY KEY,
  camera_id TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL CHECK (to_ms >= from_ms),
  reason TEXT NOT NULL,
  incident_id TEXT,
  locked_by TEXT NOT NULL,
  locked_ms INTEGER NOT NULL,
  until_ms INTEGER                          -- null: until somebody lifts it
) STRICT;
CREATE INDEX locks_by_camera ON locks (camera_id, to_ms);
