-- The origin of the call that made the prediction, for the URLs in its webhooks.
ALTER TABLE predictions ADD COLUMN origin TEXT;

-- The outbox: written in the transaction of what it tells. `state`: 0 pending, 1 delivered, 2 dead,
-- 3 dropped. Ids grow with time. The body is last, so that the other columns are read without it.
CREATE TABLE webhook_deliveries (
  id          TEXT PRIMARY KEY,
  account_id  BIGINT NOT NULL,
  prediction  TEXT NOT NULL,
  event       TEXT NOT NULL,
  url         TEXT NOT NULL,
  lane        TEXT NOT NULL,
  state       BIGINT NOT NULL,
  tries       BIGINT NOT NULL,
  last_status BIGINT NOT NULL,
  last_error  TEXT,
  size        BIGINT NOT NULL,
  created_us  BIGINT NOT NULL,
  since_us    BIGINT NOT NULL,
  due_us      BIGINT NOT NULL,
  ended_us    BIGINT NOT NULL,
  body        TEXT NOT NULL
);
CREATE INDEX webhook_deliveries_of_account ON webhook_deliveries (account_id, id);
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (account_id, state, id);
CREATE INDEX webhook_deliveries_of_prediction ON webhook_deliveries (prediction, id);
CREATE INDEX webhook_deliveries_lanes ON webhook_deliveries (lane, due_us, id) WHERE state = 0;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_us) WHERE state = 0;
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (state, ended_us) WHERE state <> 0;

-- Kept as they are: a signature needs the key itself. `expires_us` 0 is the one in use.
CREATE TABLE webhook_secrets (
  account_id BIGINT NOT NULL REFERENCES accounts (id),
  secret     TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  PRIMARY KEY (account_id, secret)
);
