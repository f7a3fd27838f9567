-- Emergency calls: places that help can be sent to, what happened in calls, drills. Times are UTC milliseconds (*_ms).

-- Dispatchable locations. What Kamailio sends of them is made anew of these rows.
CREATE TABLE locations (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  site_id TEXT NOT NULL,
  label TEXT NOT NULL CHECK (length(label) BETWEEN 1 AND 120),
  networks TEXT NOT NULL CHECK (json_valid(networks)),  -- JSON: LAN ranges from which unknown phones call from here
  civic TEXT NOT NULL CHECK (json_valid(civic)),        -- JSON: elements of RFC 5139, the contract's CivicAddress
  callback_number TEXT,                     -- E.164 that rings the caller back; with ELIN it tells the place
  provider_id TEXT NOT NULL,                -- id of the place at the provider of the trunk; empty: none
  is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),  -- callers of the site without a better place are here
  nearest_phone TEXT,                       -- number of the next desk phone
  validated_ms INTEGER,                     -- when somebody confirmed the address with the provider
  validated_by TEXT,                        -- who
  revision INTEGER NOT NULL CHECK (revision >= 1),
  CHECK ((validated_ms IS NULL) = (validated_by IS NULL))
) STRICT;
CREATE UNIQUE INDEX location_label ON locations (site_id, label COLLATE NOCASE);
CREATE UNIQUE INDEX location_default ON locations (site_id) WHERE is_default = 1;

-- Areas of a location: each is in one at most.
CREATE TABLE location_areas (
  area_id TEXT PRIMARY KEY,
  location_id TEXT NOT NULL REFERENCES locations (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX location_areas_of ON location_areas (location_id);

-- Where somebody last said that he is.
CREATE TABLE last_places (
  user_id TEXT PRIMARY KEY,
  location_id TEXT NOT NULL REFERENCES locations (id) ON DELETE CASCADE,
  said_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who is on duty, and since when as far as it was seen: what was said before a shift tells nothing about it.
CREATE TABLE duties (
  user_id TEXT PRIMARY KEY,
  since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What Kamailio reported about emergency calls, tests and drills, as it came. Everything else about a call follows from it.
CREATE TABLE emergency_reports (
  uid TEXT PRIMARY KEY,                     -- Kamailio's id of the report: a double changes nothing
  call_id TEXT NOT NULL,                    -- Call-ID of the emergency call
  at_ms INTEGER NOT NULL,                   -- when it happened
  body TEXT NOT NULL CHECK (json_valid(body))
) STRICT, WITHOUT ROWID;
CREATE INDEX emergency_reports_of ON emergency_reports (call_id, at_ms);

-- One row a call, folded anew with each report.
CREATE TABLE emergency_calls (
  id TEXT PRIMARY KEY,
  call_id TEXT NOT NULL UNIQUE,             -- Call-ID of the caller's leg
  org_id TEXT,                              -- NULL while core has never said which organisation there is
  site_id TEXT,                             -- where it was: of its location, else of its caller
  area_id TEXT,
  kind TEXT NOT NULL CHECK (kind IN ('emergency', 'test', 'drill')),
  started_ms INTEGER NOT NULL,
  caller_name TEXT NOT NULL,                -- as it was at the time of the call
  user_id TEXT,
  location_label TEXT,                      -- as it was at the time of the call
  callback_number TEXT,                     -- E.164 that rings the caller until a newer call has it
  trunk_names TEXT NOT NULL CHECK (json_valid(trunk_names)),  -- JSON: names of its trunks at the time, by id
  incident_id TEXT                          -- core's, once it answered
) STRICT;
CREATE INDEX emergency_calls_newest ON emergency_calls (started_ms DESC, id DESC);
CREATE INDEX emergency_calls_callback ON emergency_calls (callback_number, started_ms);

-- What core is to be told of a call, in order; a row goes when it was told.
CREATE TABLE emergency_words (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  emergency_call TEXT NOT NULL REFERENCES emergency_calls (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('open', 'event', 'line')),
  at_ms INTEGER NOT NULL,                   -- when it happened
  body TEXT NOT NULL CHECK (json_valid(body)),
  refused TEXT                              -- why core will never take it
) STRICT;
CREATE INDEX emergency_words_waiting ON emergency_words (emergency_call, id) WHERE refused IS NULL;

-- Drills: calls to the test PSAP from each location.
CREATE TABLE drills (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  site_id TEXT NOT NULL,
  name TEXT NOT NULL,
  location_ids TEXT NOT NULL CHECK (json_valid(location_ids)),  -- JSON: those that are called from, in order
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'stopped')),
  started_ms INTEGER NOT NULL,
  started_by TEXT NOT NULL,
  ended_ms INTEGER,
  CHECK ((state = 'running') = (ended_ms IS NULL))
) STRICT;
CREATE UNIQUE INDEX drill_running ON drills (state) WHERE state = 'running';

-- How it went at each location. The location may be gone since.
CREATE TABLE drill_results (
  drill_id TEXT NOT NULL REFERENCES drills (id) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  location_id TEXT NOT NULL,
  label TEXT NOT NULL,
  passed INTEGER NOT NULL CHECK (passed IN (0, 1)),
  steps TEXT NOT NULL CHECK (json_valid(steps)),        -- JSON: what was looked at, with its figure
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (drill_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX drill_results_of ON drill_results (location_id, at_ms);
