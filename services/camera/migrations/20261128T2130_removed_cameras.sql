-- Cameras that were removed: by whom their footage, which stays for its days and its locks, may still be played, exported and let go.
CREATE TABLE removed_cameras (
  camera_id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,                     -- its footage is for those who may on the whole organisation
  site_id TEXT NOT NULL,
  area_id TEXT NOT NULL,
  area_name TEXT NOT NULL,                  -- names and zone as they were when it was removed
  name TEXT NOT NULL,
  time_zone TEXT NOT NULL,                  -- IANA, of the site
  scopes TEXT NOT NULL,                     -- JSON array: scope keys that contained it, its own first
  removed_ms INTEGER NOT NULL               -- UTC milliseconds
) STRICT, WITHOUT ROWID;
