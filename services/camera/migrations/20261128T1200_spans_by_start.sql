-- Finds spans (what happened, what is locked) by where they begin. Most last less than an hour, so that those that touch a range
-- begin at most an hour before it; the few longer ones have indexes of their own.
CREATE INDEX happenings_by_kind ON happenings (camera_id, kind, from_ms);
CREATE INDEX happenings_long ON happenings (camera_id, kind, from_ms) WHERE to_ms - from_ms > 3600000;
CREATE INDEX locks_by_start ON locks (camera_id, from_ms);
CREATE INDEX locks_long ON locks (camera_id, from_ms) WHERE to_ms - from_ms > 3600000;
