-- The SIP bridge's own data. Times are UTC milliseconds (*_ms). Nobody else opens this file.

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

-- Core's last answer on who works here and which places there are: calls go on while core is down.
CREATE TABLE kept_answers (
  name TEXT PRIMARY KEY CHECK (name IN ('people', 'places')),
  body TEXT NOT NULL                        -- JSON: items of InternalPeople, or the contract's InternalPlaces
) STRICT, WITHOUT ROWID;
