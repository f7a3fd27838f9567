-- Pushes about an incident that reached nobody's screen: each user is told by e-mail once for each incident.
CREATE TABLE push_undelivered (
  incident_id TEXT NOT NULL REFERENCES incidents (id),
  user_id TEXT NOT NULL REFERENCES users (id),
  at_ms INTEGER NOT NULL,              -- UTC ms
  mailed INTEGER NOT NULL CHECK (mailed IN (0, 1)),
  PRIMARY KEY (incident_id, user_id)
) STRICT, WITHOUT ROWID;
