-- How instances come and go, as JSON of what differs from the server; NULL: nothing.
ALTER TABLE releases ADD COLUMN scaling TEXT;
CREATE TABLE model_scaling (
  model_id BIGINT PRIMARY KEY REFERENCES models (id),
  scaling  TEXT NOT NULL
);
