-- Public keys of the devices that signed statements, so that these can be checked when a device is removed or its owner's identity replaced.
CREATE TABLE statement_signers (
  room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  device_id TEXT NOT NULL,                  -- may be removed by now
  n INTEGER NOT NULL CHECK (n >= 0),        -- the first statement of the room that it signed
  device_keys TEXT NOT NULL,                -- JSON of the contract's DeviceKeys, with what its owner had signed of it
  UNIQUE (room_id, device_id, device_keys)
) STRICT;
CREATE INDEX statement_signers_by_device ON statement_signers (device_id);

-- Of what was signed before: the devices that are still there.
INSERT INTO statement_signers (room_id, device_id, n, device_keys)
SELECT s.room_id, d.id, min(s.n), d.device_keys
FROM statements s JOIN devices d ON d.id = json_extract(s.body, '$.by_device')
WHERE d.device_keys IS NOT NULL
GROUP BY s.room_id, d.id;
