-- What instances took: a row is a piece of the life of one, within one hour of the clock. Its time
-- is setup first, then idle and active in any order; the three add up to ended_us - began_us. Rows
-- of an instance follow each other without a gap. While it lives its last row grows.
CREATE TABLE instance_usage (
  account_id BIGINT NOT NULL,
  began_us   BIGINT NOT NULL,
  instance   TEXT NOT NULL,
  ended_us   BIGINT NOT NULL,
  model_id   BIGINT NOT NULL,
  deployment TEXT,
  hardware   TEXT NOT NULL,
  price      BIGINT,
  billed     BIGINT NOT NULL,
  setup_us   BIGINT NOT NULL,
  idle_us    BIGINT NOT NULL,
  active_us  BIGINT NOT NULL,
  PRIMARY KEY (account_id, began_us, instance)
) WITHOUT ROWID;
CREATE INDEX instance_usage_of_instance ON instance_usage (instance, began_us);

-- A run is billed when the time of its instance is not. `price` is that of a second, in its ninth
-- digit; NULL: the hardware had none.
ALTER TABLE usage ADD COLUMN deployment TEXT;
ALTER TABLE usage ADD COLUMN price BIGINT;
ALTER TABLE usage ADD COLUMN billed BIGINT NOT NULL DEFAULT 1;

-- Amounts of a calendar month, UTC, as decimal texts. `warned_us` is the beginning of the month in
-- which the soft one was last passed.
CREATE TABLE budgets (
  account_id BIGINT PRIMARY KEY REFERENCES accounts (id),
  soft       TEXT,
  hard       TEXT,
  warned_us  BIGINT NOT NULL,
  changed_us BIGINT NOT NULL
);
