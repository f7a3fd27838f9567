-- From then on a row of rule state says nothing any more (UTC ms); null is never.
ALTER TABLE rule_states ADD COLUMN expires_ms INTEGER;
CREATE INDEX rule_states_by_expiry ON rule_states (expires_ms) WHERE expires_ms IS NOT NULL;
