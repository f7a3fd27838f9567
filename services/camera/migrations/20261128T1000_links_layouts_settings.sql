-- Links for integrators, layouts of the wall, settings of footage. Times are UTC milliseconds (*_ms).

-- Links that work without signing in. The token itself is nowhere: only its SHA-256.
CREATE TABLE links (
  id TEXT PRIMARY KEY,                      -- UUIDv7
  token_sha256 BLOB NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
  org_id TEXT NOT NULL,
  camera_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('snapshot', 'live', 'clip', 'rtsp')),
  name TEXT NOT NULL,
  from_ms INTEGER,                          -- of a clip
  to_ms INTEGER,
  maker_kind TEXT NOT NULL CHECK (maker_kind IN ('user', 'api_key', 'service')),
  maker_id TEXT NOT NULL,                   -- the link carries no more than this one may now
  maker_name TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  last_used_ms INTEGER,
  uses INTEGER NOT NULL DEFAULT 0,
  CHECK ((kind = 'clip') = (from_ms IS NOT NULL)),
  CHECK ((from_ms IS NULL) = (to_ms IS NULL) AND (to_ms IS NULL OR to_ms > from_ms))
) STRICT;
CREATE INDEX links_by_expiry ON links (expires_ms);

-- Layouts of the video wall.
CREATE TABLE layouts (
  id TEXT PRIMARY KEY,                      -- UUIDv7
  org_id TEXT NOT NULL,
  owner_id TEXT NOT NULL,                   -- user, or API key
  owner_name TEXT NOT NULL,
  name TEXT NOT NULL,
  columns INTEGER NOT NULL CHECK (columns BETWEEN 1 AND 12),
  rows INTEGER NOT NULL CHECK (rows BETWEEN 1 AND 12),
  tiles TEXT NOT NULL,                      -- JSON array of camera_id, x, y, w, h
  shared INTEGER NOT NULL CHECK (shared IN (0, 1)),
  created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX layouts_by_owner ON layouts (owner_id);

-- One row: how footage is handled on this box; none while nobody changed it.
CREATE TABLE settings (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  body TEXT NOT NULL                        -- JSON of the contract's FootageSettings
) STRICT;
