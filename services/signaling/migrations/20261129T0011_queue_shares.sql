-- Whose rows wait in a queue, so that no one person fills it for all others.

ALTER TABLE queue ADD COLUMN sender_id TEXT;  -- user whose doing the row is; null: nobody's, or from before this was kept

-- What waits of each person, added up. A row goes with the last that waits.
CREATE TABLE queue_shares (
  device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  sender_id TEXT NOT NULL,
  waiting INTEGER NOT NULL CHECK (waiting > 0), -- rows
  bytes INTEGER NOT NULL CHECK (bytes > 0),
  PRIMARY KEY (device_id, sender_id)
) STRICT, WITHOUT ROWID;
