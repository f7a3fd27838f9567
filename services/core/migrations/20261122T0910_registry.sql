CREATE TABLE orgs (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sites (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  name TEXT NOT NULL,
  time_zone TEXT NOT NULL,             -- IANA name
  address TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A tree by parent_id. The armed state comes from panels' open and close reports.
CREATE TABLE areas (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  site_id TEXT NOT NULL REFERENCES sites (id),
  parent_id TEXT REFERENCES areas (id),
  name TEXT NOT NULL,
  armed TEXT NOT NULL DEFAULT 'unknown' CHECK (armed IN ('armed', 'disarmed', 'partial', 'unknown')),
  armed_changed_ms INTEGER,            -- UTC ms of the report
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX areas_by_parent ON areas (parent_id);

CREATE TABLE floors (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  site_id TEXT NOT NULL REFERENCES sites (id),
  name TEXT NOT NULL,
  level INTEGER NOT NULL,              -- 0 is the ground floor
  plan_width INTEGER,                  -- pixels
  plan_height INTEGER,                 -- pixels
  plan_sha256 TEXT,                    -- of the re-encoded PNG
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Pictures of plans, re-encoded to PNG when they came in.
CREATE TABLE floor_plans (
  floor_id TEXT PRIMARY KEY REFERENCES floors (id) ON DELETE CASCADE,
  png BLOB NOT NULL
) STRICT;

CREATE TABLE devices (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  site_id TEXT NOT NULL REFERENCES sites (id),
  area_id TEXT NOT NULL REFERENCES areas (id),
  parent_id TEXT REFERENCES devices (id), -- controller or panel it hangs on
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  external_id TEXT,                    -- the device's own serial or address
  tags TEXT NOT NULL DEFAULT '[]',     -- JSON array
  floor_id TEXT REFERENCES floors (id) ON DELETE SET NULL,
  place_x REAL CHECK (place_x BETWEEN 0 AND 1), -- fraction of the plan's width
  place_y REAL CHECK (place_y BETWEEN 0 AND 1), -- fraction of the plan's height
  status TEXT NOT NULL DEFAULT 'unknown' CHECK (status IN ('unknown', 'online', 'offline', 'unavailable')),
  conditions TEXT NOT NULL DEFAULT '[]', -- JSON array of DeviceCondition
  state TEXT,                          -- e.g. locked, as the device itself says
  last_seen_ms INTEGER,                -- UTC ms, by our clock
  clock_skew_ms INTEGER,               -- device clock minus ours, last clean reading
  created_ms INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1,
  deleted_ms INTEGER                   -- kept for the events and incidents that name it
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_area ON devices (area_id);
CREATE INDEX devices_by_parent ON devices (parent_id);
CREATE UNIQUE INDEX devices_by_external ON devices (org_id, external_id) WHERE external_id IS NOT NULL AND deleted_ms IS NULL;

-- One-time codes with which an agent fetches its certificate. Only a hash is kept.
CREATE TABLE enrolment_codes (
  code_sha256 TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  device_id TEXT NOT NULL REFERENCES devices (id),
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  used_ms INTEGER
) STRICT, WITHOUT ROWID;

-- Certificates issued to devices; revoked ones go into the CRL that the broker reads.
CREATE TABLE device_certificates (
  serial TEXT PRIMARY KEY,             -- hexadecimal
  org_id TEXT NOT NULL,
  device_id TEXT NOT NULL REFERENCES devices (id),
  fingerprint_sha256 TEXT NOT NULL,
  issued_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  revoked_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX device_certificates_by_device ON device_certificates (device_id);

CREATE TABLE commands (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  device_id TEXT NOT NULL REFERENCES devices (id),
  name TEXT NOT NULL,
  args TEXT NOT NULL,                  -- JSON
  state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'confirmed', 'failed', 'expired')),
  requested_by TEXT NOT NULL,          -- name as shown
  actor TEXT NOT NULL,                 -- JSON {kind, id, name}
  incident_id TEXT,
  reason TEXT,
  error TEXT,
  trace_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  finished_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX commands_by_device ON commands (device_id, id);
