-- How often the refresh token of a session was swapped: an authentic token of an older generation was stolen.
ALTER TABLE sessions ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
