-- One row: what the box believes of its own clock, so that a restart right after a jump does not make it delete by the new time.
CREATE TABLE expiry_clock (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  trusted_ms INTEGER NOT NULL,              -- UTC milliseconds: the time that was believed at the last look
  stray_ms INTEGER,                         -- how far the clock is ahead of that (less than 0: behind); null: it is believed
  waited_ms INTEGER NOT NULL CHECK (waited_ms >= 0), -- for how long it has been so, counted while the service runs
  held_ms INTEGER,                          -- UTC milliseconds: the time by which age is told meanwhile; null: by the clock
  CHECK (stray_ms IS NOT NULL OR (waited_ms = 0 AND held_ms IS NULL))
) STRICT;
