-- Browsers that are signed in, and links that sign one in. A session acts for its token, and ends with it.
CREATE TABLE sessions (
  hash       TEXT PRIMARY KEY,  -- SHA-256 of the secret in the cookie or the link
  token      TEXT NOT NULL REFERENCES tokens (id),
  is_link    BIGINT NOT NULL,   -- 1: a link, which is used once
  created_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL
);
CREATE INDEX sessions_of_token ON sessions (token);
CREATE INDEX sessions_by_end ON sessions (expires_us);
