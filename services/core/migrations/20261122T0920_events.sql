-- Immutable. The device's time, ours, and the sequence are all kept.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,             -- position in the feed
  org_id TEXT NOT NULL,
  site_id TEXT,
  area_id TEXT,
  device_id TEXT,
  origin TEXT NOT NULL,                -- authenticated sender: device:<id>, rest:<org>, panel, … ; keeps one sender from claiming another's ids
  source TEXT NOT NULL,                -- CloudEvents source
  id TEXT NOT NULL,                    -- CloudEvents id
  type TEXT NOT NULL,
  class TEXT NOT NULL,
  version INTEGER NOT NULL,
  subject TEXT,
  time_ms INTEGER NOT NULL,            -- when it happened: device time, or ours where that was implausible
  device_time_ms INTEGER,              -- as the device said, unchanged
  recorded_ms INTEGER NOT NULL,        -- UTC ms by our clock
  late_ms INTEGER NOT NULL,
  delivery TEXT NOT NULL CHECK (delivery IN ('live', 'late', 'retained', 'replayed')),
  clock_suspect INTEGER NOT NULL CHECK (clock_suspect IN (0, 1)),
  trace_id TEXT NOT NULL,
  data TEXT NOT NULL                   -- JSON object
) STRICT;
CREATE UNIQUE INDEX events_identity ON events (origin, source, id);
CREATE INDEX events_by_device ON events (device_id, seq) WHERE device_id IS NOT NULL;

-- How far each agent's queue is durable here, for our own acknowledgement.
CREATE TABLE device_streams (
  device_id TEXT NOT NULL,
  stream TEXT NOT NULL,
  committed INTEGER NOT NULL,          -- every sequence up to here is durable
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY (device_id, stream)
) STRICT, WITHOUT ROWID;

-- What could not be taken as an event, with the reason. Bounded by rows (see retention).
CREATE TABLE dead_letters (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  received_ms INTEGER NOT NULL,
  channel TEXT NOT NULL,
  origin TEXT NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  bytes INTEGER NOT NULL,              -- size of the whole payload
  payload BLOB NOT NULL                -- first 64 KiB
) STRICT, WITHOUT ROWID;

CREATE TABLE retention (
  class TEXT PRIMARY KEY,
  days_max INTEGER NOT NULL CHECK (days_max > 0),
  bytes_max INTEGER                    -- estimate over rows of the class; null is no limit
) STRICT, WITHOUT ROWID;

-- Rows and bytes of each class per hour of our clock: retention and forecast without scanning events.
CREATE TABLE event_volume (
  class TEXT NOT NULL,
  hour INTEGER NOT NULL,               -- UTC hours since 1970
  rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  seq_max INTEGER NOT NULL,            -- last feed position in that hour
  PRIMARY KEY (class, hour)
) STRICT, WITHOUT ROWID;
