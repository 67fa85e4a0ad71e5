-- Times are microseconds since the epoch, UTC; 0 stands for "not yet" or "never".
CREATE TABLE accounts (
  id         BIGINT PRIMARY KEY,
  username   TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  type       TEXT NOT NULL,
  created_us BIGINT NOT NULL
);

CREATE TABLE tokens (
  id           TEXT PRIMARY KEY,
  account_id   BIGINT NOT NULL REFERENCES accounts (id),
  name         TEXT NOT NULL,
  hash         TEXT NOT NULL UNIQUE,
  prefix       TEXT NOT NULL,
  scopes       BIGINT NOT NULL,
  created_us   BIGINT NOT NULL,
  last_used_us BIGINT NOT NULL,
  revoked_us   BIGINT NOT NULL
);
CREATE INDEX tokens_of_account ON tokens (account_id, created_us);

CREATE TABLE models (
  id              BIGINT PRIMARY KEY,
  account_id      BIGINT NOT NULL REFERENCES accounts (id),
  owner           TEXT NOT NULL,
  name            TEXT NOT NULL,
  is_private      BIGINT NOT NULL,
  hardware        TEXT NOT NULL,
  description     TEXT,
  readme          TEXT,
  github_url      TEXT,
  paper_url       TEXT,
  license_url     TEXT,
  weights_url     TEXT,
  cover_image_url TEXT,
  default_example TEXT,
  latest_version  TEXT,
  version_us      BIGINT NOT NULL,
  created_us      BIGINT NOT NULL,
  UNIQUE (owner, name)
);
CREATE INDEX models_by_creation ON models (created_us, id);
CREATE INDEX models_by_version ON models (version_us, id);

-- Apart from the models, whose rows hold whole readmes and would be written again with every run.
CREATE TABLE model_runs (
  model_id BIGINT PRIMARY KEY,
  n        BIGINT NOT NULL
);

-- The same content pushed to two models has the same id in both.
CREATE TABLE versions (
  id            TEXT NOT NULL,
  model_id      BIGINT NOT NULL REFERENCES models (id),
  cog_version   TEXT NOT NULL,
  openapi       TEXT NOT NULL,
  launch        TEXT NOT NULL,
  manifest      TEXT NOT NULL,
  source_sha256 TEXT NOT NULL,
  created_us    BIGINT NOT NULL,
  PRIMARY KEY (model_id, id)
);
CREATE INDEX versions_by_creation ON versions (model_id, created_us, id);
CREATE INDEX versions_by_source ON versions (model_id, source_sha256);
CREATE INDEX versions_by_id ON versions (id);

CREATE TABLE predictions (
  id             TEXT PRIMARY KEY,
  kind           BIGINT NOT NULL,
  account_id     BIGINT NOT NULL,
  model_id       BIGINT NOT NULL,
  model          TEXT NOT NULL,
  version        TEXT NOT NULL,
  deployment     TEXT,
  status         BIGINT NOT NULL,
  from_web       BIGINT NOT NULL,
  input          TEXT NOT NULL,
  files          TEXT,
  secrets        TEXT,
  output         TEXT,
  logs           TEXT NOT NULL,
  error          TEXT,
  error_code     TEXT,
  metrics        TEXT,
  created_us     BIGINT NOT NULL,
  started_us     BIGINT NOT NULL,
  completed_us   BIGINT NOT NULL,
  deadline_us    BIGINT NOT NULL,
  cancel_requested BIGINT NOT NULL,
  attempt        BIGINT NOT NULL,
  instance       TEXT,
  webhook        TEXT,
  webhook_events TEXT,
  data_removed   BIGINT NOT NULL
);
CREATE INDEX predictions_of_account ON predictions (account_id, kind, created_us, id);
-- What a restart has to take up again; small, since it holds only what has not ended.
CREATE INDEX predictions_open ON predictions (created_us, id) WHERE completed_us = 0;
-- What retention has to remove; leaves when the data leave.
CREATE INDEX predictions_with_data ON predictions (completed_us)
  WHERE completed_us > 0 AND data_removed = 0 AND from_web = 0;

-- Tries that were lost; the one that counts is in the prediction's own row.
CREATE TABLE attempts (
  prediction   TEXT NOT NULL,
  attempt      BIGINT NOT NULL,
  instance     TEXT NOT NULL,
  started_us   BIGINT NOT NULL,
  ended_us     BIGINT NOT NULL,
  outcome      TEXT NOT NULL,
  PRIMARY KEY (prediction, attempt)
);

-- Accepted attempts only: what somebody pays for.
CREATE TABLE usage (
  account_id BIGINT NOT NULL,
  ended_us   BIGINT NOT NULL,
  prediction TEXT NOT NULL,
  attempt    BIGINT NOT NULL,
  model_id   BIGINT NOT NULL,
  hardware   TEXT NOT NULL,
  run_us     BIGINT NOT NULL,
  PRIMARY KEY (account_id, ended_us, prediction)
) WITHOUT ROWID;

CREATE TABLE files (
  id           TEXT PRIMARY KEY,
  account_id   BIGINT NOT NULL REFERENCES accounts (id),
  name         TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size         BIGINT NOT NULL,
  sha256       TEXT NOT NULL,
  md5          TEXT NOT NULL,
  metadata     TEXT NOT NULL,
  created_us   BIGINT NOT NULL,
  expires_us   BIGINT NOT NULL
);
CREATE INDEX files_of_account ON files (account_id, created_us, id);
CREATE INDEX files_by_content ON files (sha256);
CREATE INDEX files_by_expiry ON files (expires_us);

-- Output files: the token is the capability in their URL.
CREATE TABLE outputs (
  token        TEXT PRIMARY KEY,
  prediction   TEXT NOT NULL,
  name         TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size         BIGINT NOT NULL,
  sha256       TEXT NOT NULL,
  created_us   BIGINT NOT NULL
);
CREATE INDEX outputs_of_prediction ON outputs (prediction);
CREATE INDEX outputs_by_content ON outputs (sha256);

CREATE TABLE uploads (
  id         TEXT PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES accounts (id),
  sha256     TEXT NOT NULL,
  size       BIGINT NOT NULL,
  created_us BIGINT NOT NULL
);
CREATE INDEX uploads_of_account ON uploads (account_id, sha256);

CREATE TABLE builds (
  id            TEXT PRIMARY KEY,
  account_id    BIGINT NOT NULL REFERENCES accounts (id),
  model_id      BIGINT NOT NULL REFERENCES models (id),
  upload        TEXT NOT NULL,
  source_sha256 TEXT NOT NULL,
  options       TEXT NOT NULL,
  status        TEXT NOT NULL,
  error         TEXT,
  version       TEXT,
  created_us    BIGINT NOT NULL,
  completed_us  BIGINT NOT NULL
);
CREATE INDEX builds_open ON builds (created_us) WHERE completed_us = 0;
