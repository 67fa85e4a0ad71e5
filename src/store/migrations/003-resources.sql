-- Times are microseconds since the epoch, UTC.
CREATE TABLE deployments (
  id             BIGINT PRIMARY KEY,
  account_id     BIGINT NOT NULL REFERENCES accounts (id),
  owner          TEXT NOT NULL,
  name           TEXT NOT NULL,
  current_number BIGINT NOT NULL,
  serving_number BIGINT NOT NULL,
  created_us     BIGINT NOT NULL,
  UNIQUE (owner, name)
);
CREATE INDEX deployments_of_account ON deployments (account_id, created_us, id);

CREATE TABLE releases (
  deployment_id BIGINT NOT NULL REFERENCES deployments (id),
  number        BIGINT NOT NULL,
  model_id      BIGINT NOT NULL,
  model         TEXT NOT NULL,
  version       TEXT NOT NULL,
  hardware      TEXT NOT NULL,
  min_instances BIGINT NOT NULL,
  max_instances BIGINT NOT NULL,
  created_us    BIGINT NOT NULL,
  PRIMARY KEY (deployment_id, number)
);
CREATE INDEX releases_of_version ON releases (model_id, version);
-- When a deployment ran last, and whether it runs (completed_us = 0).
CREATE INDEX predictions_of_deployment ON predictions (deployment, completed_us)
  WHERE deployment IS NOT NULL;

CREATE INDEX predictions_of_web ON predictions (account_id, kind, created_us, id)
  WHERE from_web = 1;

-- Where a training's new version goes.
CREATE TABLE trainings (
  prediction  TEXT PRIMARY KEY,
  destination BIGINT NOT NULL
);

CREATE TABLE collections (
  id               BIGINT PRIMARY KEY,
  slug             TEXT NOT NULL UNIQUE,
  name             TEXT NOT NULL,
  description      TEXT NOT NULL,
  full_description TEXT,
  created_us       BIGINT NOT NULL
);
CREATE INDEX collections_by_creation ON collections (created_us, id);

CREATE TABLE collection_models (
  collection_id BIGINT NOT NULL REFERENCES collections (id),
  place         BIGINT NOT NULL,
  model_id      BIGINT NOT NULL REFERENCES models (id),
  PRIMARY KEY (collection_id, place)
);
CREATE INDEX collections_of_model ON collection_models (model_id);

-- What retention takes from a prediction, kept for as long as it is an example of its model.
CREATE TABLE examples (
  model_id   BIGINT NOT NULL REFERENCES models (id),
  place      BIGINT NOT NULL,
  prediction TEXT NOT NULL UNIQUE,
  input      TEXT NOT NULL,
  output     TEXT,
  logs       TEXT NOT NULL,
  PRIMARY KEY (model_id, place)
);
