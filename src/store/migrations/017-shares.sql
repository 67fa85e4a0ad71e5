-- Predictions that whoever has the link may look at.
CREATE TABLE shares (
  prediction TEXT PRIMARY KEY REFERENCES predictions (id),
  token      TEXT NOT NULL UNIQUE,  -- in the link
  created_us BIGINT NOT NULL
);
