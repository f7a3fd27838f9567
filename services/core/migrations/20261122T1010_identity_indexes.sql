-- Sign-in and every checked token look these up.
CREATE INDEX revocations_by_sid ON revocations (sid) WHERE sid IS NOT NULL;
CREATE INDEX revocations_by_sub ON revocations (sub) WHERE sub IS NOT NULL;
CREATE INDEX role_bindings_by_user ON role_bindings (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX role_bindings_by_group ON role_bindings (group_id) WHERE group_id IS NOT NULL;

-- What a run of the self-test made, so that it is gone ten minutes later even when core was restarted in between.
CREATE TABLE self_tests (
  run_id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  api_key_id TEXT NOT NULL,
  service_id TEXT NOT NULL,            -- subject of its access token
  certificate_serial TEXT NOT NULL,    -- hexadecimal
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
