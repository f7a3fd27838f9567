-- Numbers, phones, trunks, the number plan; what was lost and told. Times are UTC milliseconds (*_ms).

-- Numbers of the house. One SIP domain: a number is there once, whosever it is.
CREATE TABLE extensions (
  id TEXT PRIMARY KEY,                      -- UUIDv7
  org_id TEXT NOT NULL,
  number TEXT NOT NULL UNIQUE CHECK (length(number) BETWEEN 2 AND 6),
  kind TEXT NOT NULL CHECK (kind IN ('user', 'phone', 'door', 'group')),
  user_id TEXT UNIQUE CHECK (user_id IS NULL OR kind = 'user'), -- one number for each person
  body TEXT NOT NULL,                       -- JSON of the contract's ExtensionInput
  auth_username TEXT NOT NULL UNIQUE,       -- a desk phone or door signs in as this
  ha1 TEXT CHECK (length(ha1) = 32),        -- md5(auth_username:realm:secret); the secret itself is nowhere
  ha1_realm TEXT,                           -- the realm it was made for: of no use under another host name
  is_own INTEGER NOT NULL CHECK (is_own IN (0, 1)), -- made by itself for somebody who opened his softphone
  revision INTEGER NOT NULL CHECK (revision >= 1),
  created_ms INTEGER NOT NULL,
  CHECK ((ha1 IS NULL) = (ha1_realm IS NULL))
) STRICT;

-- Ways out of the house and in.
CREATE TABLE trunks (
  id TEXT PRIMARY KEY,                      -- UUIDv7
  org_id TEXT NOT NULL,
  body TEXT NOT NULL,                       -- JSON of the contract's TrunkInput
  password BLOB,                            -- sealed under SIP_BRIDGE_KEY, bound to the id
  revision INTEGER NOT NULL CHECK (revision >= 1),
  created_ms INTEGER NOT NULL
) STRICT;

-- Addresses that the host names of trunks last had: calls for help wait for no name server.
CREATE TABLE trunk_addresses (
  trunk_id TEXT NOT NULL REFERENCES trunks (id) ON DELETE CASCADE,
  host TEXT NOT NULL,                       -- the name they are of
  address TEXT NOT NULL,
  place INTEGER NOT NULL,                   -- in the order in which they are tried
  PRIMARY KEY (trunk_id, address)
) STRICT, WITHOUT ROWID;

-- One row: how numbers are read and what may be dialled; none while nobody changed it.
CREATE TABLE number_plan (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  body TEXT NOT NULL                        -- JSON of the contract's NumberPlan
) STRICT;

-- Trunks that are gone: told once, and once more when they are back.
CREATE TABLE lost_trunks (
  trunk_id TEXT PRIMARY KEY REFERENCES trunks (id) ON DELETE CASCADE,
  since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Desk phones and doors that were registered: when one is gone for longer than it may be, that is told.
CREATE TABLE phone_presence (
  extension_id TEXT PRIMARY KEY REFERENCES extensions (id) ON DELETE CASCADE,
  expires_s INTEGER NOT NULL CHECK (expires_s > 0), -- of its last registration, seconds
  seen_ms INTEGER NOT NULL,                 -- when it was last seen registered
  lost_ms INTEGER                           -- when its loss was told; null: it was not
) STRICT, WITHOUT ROWID;

-- Credentials of softphones that still work: those of a session that ended are refused by Kamailio.
CREATE TABLE softphone_credentials (
  sid TEXT NOT NULL,                        -- session
  user_id TEXT NOT NULL,
  number TEXT NOT NULL,
  expires_s INTEGER NOT NULL,               -- Unix seconds
  is_revoked INTEGER NOT NULL DEFAULT 0 CHECK (is_revoked IN (0, 1)),
  PRIMARY KEY (sid, number, expires_s)
) STRICT, WITHOUT ROWID;
CREATE INDEX softphone_credentials_by_user ON softphone_credentials (user_id);
CREATE INDEX softphone_credentials_by_number ON softphone_credentials (number, is_revoked);
