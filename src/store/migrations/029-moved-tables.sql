-- How far each table of a database has come while the rows of another one are copied to it. Empty in a database that is whole.
CREATE TABLE moved_tables (
  name     TEXT PRIMARY KEY,
  move     TEXT NOT NULL,
  last_key TEXT NOT NULL, -- of the last row that is there; empty: the table has not begun
  is_done  BIGINT NOT NULL
);
