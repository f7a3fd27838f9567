-- How often a number was called within a day: asked before each alarm call.
CREATE INDEX alarm_call_attempts_by_time ON alarm_call_attempts (at_ms, number);
