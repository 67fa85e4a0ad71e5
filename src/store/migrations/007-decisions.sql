-- What the scheduler decided, from what, and why. Ids count up; the oldest rows leave first.
CREATE TABLE decisions (
  id         BIGINT PRIMARY KEY,
  at_us      BIGINT NOT NULL,
  kind       TEXT NOT NULL,
  model      TEXT NOT NULL,
  version    TEXT,
  deployment TEXT,
  instance   TEXT,
  prediction TEXT,
  sentence   TEXT NOT NULL,
  inputs     TEXT NOT NULL
);
CREATE INDEX decisions_by_time ON decisions (at_us, id);
CREATE INDEX decisions_of_model ON decisions (model, at_us, id);
CREATE INDEX decisions_of_prediction ON decisions (prediction, id) WHERE prediction IS NOT NULL;
CREATE INDEX decisions_of_instance ON decisions (instance, id) WHERE instance IS NOT NULL;

-- Its place in the queue when it came, 1 = next; 0: it did not wait, or that is not known.
ALTER TABLE predictions ADD COLUMN queue_place BIGINT NOT NULL DEFAULT 0;
-- From here on predictions.data_removed is the time of the removal; 1 stands for an unknown one.
