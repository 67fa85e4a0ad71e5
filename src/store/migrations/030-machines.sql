-- Machines that run instances beside the one of the server.
CREATE TABLE machines (
  name       TEXT PRIMARY KEY,
  hardware   TEXT NOT NULL,             -- as the machine has told: {"cores", "memory", "units", "system"}
  address    TEXT NOT NULL DEFAULT '',  -- that it was last seen at
  draining   BIGINT NOT NULL DEFAULT 0, -- 1: nothing starts on it
  created_us BIGINT NOT NULL,
  seen_us    BIGINT NOT NULL DEFAULT 0  -- 0: never
);
