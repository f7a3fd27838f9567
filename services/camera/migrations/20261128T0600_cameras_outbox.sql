-- The camera service's own data. Times are UTC milliseconds (*_ms). Nobody else opens this file.

-- Cameras: how each is reached and what is kept of it. Name and place are core's (table registry).
CREATE TABLE cameras (
  id TEXT PRIMARY KEY,                      -- id of the device in core's registry, UUIDv7
  org_id TEXT NOT NULL,
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  connection TEXT NOT NULL CHECK (connection IN ('onvif', 'rtsp')),
  address TEXT NOT NULL,                    -- host or host:port; changes when the camera is found elsewhere
  onvif_url TEXT,                           -- address of the ONVIF device service
  username TEXT,
  password_sealed BLOB,                     -- AES-256-GCM under CAMERA_KEY, bound to the id: nonce(12) tag(16) text
  manufacturer TEXT,
  model TEXT,
  firmware TEXT,
  serial TEXT,                              -- with mac and endpoint its identity, whatever its address
  mac TEXT,                                 -- upper case, colons
  endpoint TEXT,                            -- WS-Discovery endpoint reference
  profiles TEXT NOT NULL DEFAULT '[]',      -- JSON array of S, T, G
  streams TEXT NOT NULL DEFAULT '[]',       -- JSON array of the contract's CameraStream: addresses without credentials
  main_profile TEXT,                        -- media profile that was chosen by hand
  sub_profile TEXT,
  snapshot_url TEXT,
  has_ptz INTEGER NOT NULL DEFAULT 0 CHECK (has_ptz IN (0, 1)),
  has_events INTEGER NOT NULL DEFAULT 0 CHECK (has_events IN (0, 1)),
  relays INTEGER NOT NULL DEFAULT 0,
  inputs INTEGER NOT NULL DEFAULT 0,
  recording TEXT NOT NULL,                  -- JSON of the contract's RecordingPolicy
  motion_hold_ms INTEGER NOT NULL CHECK (motion_hold_ms > 0),
  watches TEXT NOT NULL,                    -- JSON of the contract's Watches
  revision INTEGER NOT NULL DEFAULT 1,
  created_ms INTEGER NOT NULL,
  CHECK ((username IS NULL) = (password_sealed IS NULL))
) STRICT;

-- Core's last answer on where cameras are and what contains them: a restart without core still records.
CREATE TABLE registry (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('device', 'area')),
  body TEXT NOT NULL                        -- JSON of the contract's InternalDevice or InternalArea
) STRICT, WITHOUT ROWID;

-- One row: up to where core's feed was followed.
CREATE TABLE feed_position (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  seq INTEGER NOT NULL
) STRICT;

-- Things for core, in order. A row goes when core has answered; one that core will never take stays with the reason.
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

-- Motions under way, one for each detector of a camera; ended by the camera, or by the hold when it forgets to.
CREATE TABLE motions (
  camera_id TEXT NOT NULL,
  source TEXT NOT NULL,                     -- topic and detector
  topic TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,                 -- when the camera last said so: the hold counts from here
  told INTEGER NOT NULL CHECK (told IN (0, 1)), -- motion.started went to core; not for one known from Initialized
  PRIMARY KEY (camera_id, source)
) STRICT, WITHOUT ROWID;

-- Last state of digital inputs and tamper detectors, so that a state that is told again is no new edge.
CREATE TABLE levels (
  camera_id TEXT NOT NULL,
  source TEXT NOT NULL,
  is_on INTEGER NOT NULL CHECK (is_on IN (0, 1)),
  since_ms INTEGER NOT NULL,
  PRIMARY KEY (camera_id, source)
) STRICT, WITHOUT ROWID;

-- Whether core was last told that a camera is there.
CREATE TABLE presence (
  camera_id TEXT PRIMARY KEY,
  online INTEGER NOT NULL CHECK (online IN (0, 1)),
  since_ms INTEGER NOT NULL
) STRICT;
