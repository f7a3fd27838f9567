-- Evidence: what is kept of incidents, pictures, exports. Times are UTC milliseconds (*_ms). Locks are in `locks`.

-- Incidents that were heard on core's feed, so that one that grows gets the cameras of what it grew by, once.
CREATE TABLE evidence_incidents (
  incident_id TEXT PRIMARY KEY,
  device_ids TEXT NOT NULL,                 -- JSON array: devices whose cameras were looked up
  until_ms INTEGER NOT NULL                 -- forgotten then
) STRICT, WITHOUT ROWID;

-- One for each incident and camera that sees its place.
CREATE TABLE clips (
  id TEXT PRIMARY KEY,                      -- UUIDv7
  incident_id TEXT NOT NULL,
  camera_id TEXT NOT NULL,
  org_id TEXT NOT NULL,
  camera_name TEXT NOT NULL,                -- as it was then
  time_zone TEXT NOT NULL,                  -- IANA, of the site
  at_ms INTEGER NOT NULL,                   -- the moment it is about
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'missing')),
  problem TEXT,                             -- in words: what is missing, and why
  told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)), -- the line on the incident's timeline was sent
  due_ms INTEGER,                           -- looked at again then; null: done
  until_ms INTEGER NOT NULL,                -- kept until then
  CHECK (to_ms > from_ms),
  CHECK ((state = 'pending') = (due_ms IS NOT NULL)),
  UNIQUE (incident_id, camera_id)
) STRICT;
CREATE INDEX clips_due ON clips (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX clips_by_age ON clips (until_ms);

-- Pictures. The file is <id>.jpg in the directory of stills; a row is ready only once its file is durable.
CREATE TABLE stills (
  id TEXT PRIMARY KEY,                      -- UUIDv7
  clip_id TEXT REFERENCES clips (id) ON DELETE CASCADE, -- null: of no incident
  camera_id TEXT NOT NULL,
  org_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,                   -- the moment that is wanted
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'missing')),
  command_id TEXT UNIQUE,                   -- the command that asked for it, so that it is taken once
  until_ms INTEGER NOT NULL                 -- kept until then
) STRICT;
CREATE INDEX stills_by_clip ON stills (clip_id);
CREATE INDEX stills_by_age ON stills (until_ms);

CREATE TABLE exports (
  id TEXT PRIMARY KEY,                      -- UUIDv7; the file is <id>.zip in the directory of exports
  org_id TEXT NOT NULL,
  name TEXT NOT NULL,
  cameras TEXT NOT NULL,                    -- JSON array of {id, name, area, time_zone} as they were when it was asked for
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  reason TEXT NOT NULL,
  incident_id TEXT,
  state TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'ready', 'failed')),
  progress REAL NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
  problem TEXT,
  bytes INTEGER,
  sha256 TEXT,                              -- of the zip, hexadecimal
  created_ms INTEGER NOT NULL,
  created_by TEXT NOT NULL,                 -- name as shown
  actor TEXT NOT NULL,                      -- JSON {kind, id, name}
  expires_ms INTEGER NOT NULL,              -- file and row go then
  CHECK (to_ms > from_ms),
  CHECK ((state = 'ready') = (sha256 IS NOT NULL))
) STRICT;
CREATE INDEX exports_running ON exports (id) WHERE state = 'running';
