CREATE TABLE users (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  name TEXT NOT NULL,
  email TEXT NOT NULL COLLATE NOCASE,
  password_hash TEXT,                  -- Argon2id, PHC string
  active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  locale TEXT NOT NULL DEFAULT 'en',
  created_ms INTEGER NOT NULL,
  last_login_ms INTEGER,
  deleted_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_by_email ON users (email) WHERE deleted_ms IS NULL;

CREATE TABLE groups (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  name TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE group_members (
  group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id),
  PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_by_user ON group_members (user_id);

CREATE TABLE role_bindings (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  user_id TEXT REFERENCES users (id),
  group_id TEXT REFERENCES groups (id) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('admin', 'supervisor', 'guard', 'viewer', 'integrator')),
  scope_kind TEXT NOT NULL CHECK (scope_kind IN ('org', 'site', 'area', 'device')),
  scope_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  CHECK ((user_id IS NULL) <> (group_id IS NULL))
) STRICT, WITHOUT ROWID;

-- A device session: one sign-in on one device. The refresh token rotates; only hashes are kept.
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id),
  device_name TEXT NOT NULL,
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  refresh_sha256 TEXT NOT NULL UNIQUE,
  previous_sha256 TEXT,                -- the one before: used again after its grace, the session was stolen
  rotated_ms INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  last_used_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  revoked_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_previous ON sessions (previous_sha256) WHERE previous_sha256 IS NOT NULL;

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  name TEXT NOT NULL,
  secret_sha256 TEXT NOT NULL,         -- of 32 random bytes: no slow hash needed
  prefix TEXT NOT NULL,
  permissions TEXT NOT NULL,           -- JSON array
  scope_kind TEXT NOT NULL,
  scope_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  last_used_ms INTEGER,
  expires_ms INTEGER,
  revoked_ms INTEGER
) STRICT, WITHOUT ROWID;

-- Failed sign-ins per account and per address; grows the wait, never locks an account out.
CREATE TABLE login_failures (
  subject TEXT PRIMARY KEY,            -- email:<hash> or address:<ip>
  failures INTEGER NOT NULL,
  last_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One-time codes for the first admin or a lost admin password. Only a hash is kept.
CREATE TABLE setup_codes (
  code_sha256 TEXT PRIMARY KEY,
  purpose TEXT NOT NULL CHECK (purpose IN ('setup', 'reset_admin')),
  user_id TEXT,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  used_ms INTEGER
) STRICT, WITHOUT ROWID;

-- Revocations still in force, for services that start.
CREATE TABLE revocations (
  id INTEGER PRIMARY KEY,
  sid TEXT,
  sub TEXT,
  issued_before_ms INTEGER,
  reason TEXT NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT;

-- Hash chain: each row's hash covers the row and the hash before it. Rows are never changed or removed.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  org_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  address TEXT NOT NULL,
  detail TEXT NOT NULL,                -- JSON
  hash TEXT NOT NULL                   -- SHA-256, hexadecimal
) STRICT;
CREATE INDEX audit_by_actor ON audit (actor_id, seq);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE settings (
  org_id TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,                 -- JSON
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY (org_id, name)
) STRICT, WITHOUT ROWID;
