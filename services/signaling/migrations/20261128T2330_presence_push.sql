-- Who is on duty; phones and browsers that are rung up, what is to be sent to them, and what they showed. Times are UTC milliseconds (*_ms).
-- Nothing in here is content of anybody's talk. Of alarms it holds what core's feed says.

-- What a person says of himself. No row: off duty, may be disturbed.
CREATE TABLE presence (
  user_id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  on_duty INTEGER NOT NULL CHECK (on_duty IN (0, 1)),
  duty_since_ms INTEGER,                    -- since when on duty without a break
  dnd_until_ms INTEGER,                     -- not to be disturbed until then; NULL: may be
  CHECK ((on_duty = 1) = (duty_since_ms IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX presence_by_org ON presence (org_id);
CREATE INDEX presence_by_dnd ON presence (dnd_until_ms) WHERE dnd_until_ms IS NOT NULL;

-- The key pair by which push services know this box (VAPID, RFC 8292). Another one would void every subscription.
CREATE TABLE push_keys (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  public_key TEXT NOT NULL,                 -- base64url of 65 bytes
  private_key BLOB NOT NULL,                -- sealed with SIGNALING_KEY
  created_ms INTEGER NOT NULL
) STRICT;

-- A browser that may be rung up (RFC 8030, 8291).
CREATE TABLE push_subscriptions (
  id TEXT PRIMARY KEY,                      -- UUIDv7
  org_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  session_id TEXT NOT NULL,                 -- in which it was asked for last: it rings no more when that is ended
  talk_device_id TEXT,                      -- the device for talk in the same browser, when it has one
  endpoint TEXT NOT NULL UNIQUE,            -- a secret of the browser: never shown
  p256dh TEXT NOT NULL,                     -- base64url
  auth TEXT NOT NULL,                       -- base64url
  name TEXT NOT NULL,
  service TEXT NOT NULL,                    -- host of the push service
  preferences TEXT NOT NULL,                -- JSON of the contract's PushPreferences
  created_ms INTEGER NOT NULL,
  last_success_ms INTEGER,                  -- when the push service last took a push
  last_error TEXT,                          -- of the last try, for a person; NULL when that was taken
  ended_ms INTEGER,                         -- since when it is not rung up any more: it was signed out, or the push service knows it no more
  tested_state TEXT NOT NULL CHECK (tested_state IN ('untested', 'waiting', 'rings', 'banner', 'only_with_screen', 'unreachable')),
  tested_ms INTEGER,
  tested_arrived_ms INTEGER,                -- how long the last test took to be shown; NULL: it was not
  message_ms INTEGER,                       -- when it was last told that there is a message
  call_ms INTEGER,                          -- when it was last rung up for a call
  CHECK ((tested_state = 'untested') = (tested_ms IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX push_subscriptions_by_user ON push_subscriptions (user_id);
CREATE INDEX push_subscriptions_by_org ON push_subscriptions (org_id);
CREATE INDEX push_subscriptions_by_end ON push_subscriptions (ended_ms) WHERE ended_ms IS NOT NULL;

-- Incidents as far as pushes need them, kept a week after their last change, and while they are new.
CREATE TABLE push_incidents (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  title TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('info', 'low', 'medium', 'high', 'critical')),
  state TEXT NOT NULL CHECK (state IN ('new', 'acknowledged', 'assigned', 'resolved', 'closed')),
  level INTEGER NOT NULL,                   -- of escalation
  place TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  test INTEGER NOT NULL CHECK (test IN (0, 1)),
  scopes TEXT NOT NULL,                     -- JSON array of scope keys: who may read it
  revision INTEGER NOT NULL,
  heard_ms INTEGER NOT NULL,
  lines INTEGER NOT NULL DEFAULT 0          -- how many lines the push put on its timeline
) STRICT, WITHOUT ROWID;
CREATE INDEX push_incidents_by_age ON push_incidents (heard_ms);

-- Whom an incident has to reach. One row each, whatever number of phones.
CREATE TABLE push_people (
  incident_id TEXT NOT NULL REFERENCES push_incidents (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  deadline_ms INTEGER,                      -- not shown by then: core goes on by e-mail. NULL: nothing is waited for
  shown_ms INTEGER,                         -- when one of the phones first showed it
  undelivered_ms INTEGER,                   -- when core was told, which happens once
  told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)), -- that it was shown stands on the timeline
  PRIMARY KEY (incident_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX push_people_by_deadline ON push_people (deadline_ms) WHERE deadline_ms IS NOT NULL;

-- What is to be sent, each with its time: a restart loses none. Gone when it was sent or its life is over.
CREATE TABLE push_jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  subscription_id TEXT NOT NULL REFERENCES push_subscriptions (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('alarm', 'cleared', 'message', 'call', 'test')),
  about TEXT NOT NULL,                      -- the incident; empty for the other kinds
  due_ms INTEGER NOT NULL,
  ends_ms INTEGER NOT NULL,                 -- after that it is of no use
  attempts INTEGER NOT NULL DEFAULT 0,      -- that failed
  version INTEGER NOT NULL DEFAULT 1,       -- counts up when it is asked for again while it is being sent
  UNIQUE (subscription_id, kind, about),
  CHECK ((kind IN ('alarm', 'cleared')) = (about <> ''))
) STRICT;
CREATE INDEX push_jobs_by_due ON push_jobs (due_ms);
CREATE INDEX push_jobs_by_incident ON push_jobs (about) WHERE about <> '';

-- Pushes that may be reported on for a week. The token lies in the push alone: here is its SHA-256.
CREATE TABLE push_receipts (
  token_sha256 BLOB PRIMARY KEY CHECK (length(token_sha256) = 32),
  subscription_id TEXT NOT NULL REFERENCES push_subscriptions (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('alarm', 'cleared', 'message', 'call', 'test')),
  about TEXT NOT NULL,                      -- the incident, or empty
  sent_ms INTEGER NOT NULL,
  taken INTEGER NOT NULL DEFAULT 0 CHECK (taken IN (0, 1)), -- the push service took it
  shown_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX push_receipts_by_age ON push_receipts (sent_ms);
CREATE INDEX push_receipts_by_incident ON push_receipts (about) WHERE about <> '';
CREATE INDEX push_receipts_by_subscription ON push_receipts (subscription_id);
