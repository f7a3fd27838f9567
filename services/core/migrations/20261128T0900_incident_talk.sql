-- Calls that were made from an incident, so that the same call comes onto its timeline once however often it is sent.
CREATE TABLE incident_calls (
  org_id TEXT NOT NULL,
  call_id TEXT NOT NULL,               -- made by the caller's device
  incident_id TEXT NOT NULL REFERENCES incidents (id),
  caller_id TEXT NOT NULL,             -- user who made the call and put it here
  timeline_id TEXT NOT NULL REFERENCES timeline (id),
  PRIMARY KEY (org_id, call_id)
) STRICT, WITHOUT ROWID;

-- Talk of incidents' rooms that was filed: which attachments they are, who filed them and whose key signed them.
CREATE TABLE transcripts (
  attachment_id TEXT PRIMARY KEY REFERENCES attachments (id),
  org_id TEXT NOT NULL,
  incident_id TEXT NOT NULL REFERENCES incidents (id),
  n INTEGER NOT NULL CHECK (n >= 1),   -- counts up in the incident, from 1
  room_id TEXT NOT NULL,
  filed_by TEXT NOT NULL,              -- user id
  device_id TEXT NOT NULL,             -- talk device that signed
  device_key TEXT NOT NULL,            -- its Ed25519 key, unpadded base64
  sha256 TEXT NOT NULL,                -- of the attachment, hexadecimal
  filed_ms INTEGER NOT NULL,
  UNIQUE (incident_id, n),
  UNIQUE (incident_id, sha256)
) STRICT, WITHOUT ROWID;
