-- Creates that a repeat returns: Idempotency-Key, and what generated clients send again by themselves.
CREATE TABLE create_keys (
  account_id BIGINT NOT NULL,
  key        TEXT NOT NULL,
  digest     TEXT NOT NULL,
  prediction TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (account_id, key)
);
CREATE INDEX create_keys_by_age ON create_keys (created_us);
