-- How models fit the endpoints of OpenAI's API, as their sources state it.
CREATE TABLE openai_mappings (
  model_id BIGINT PRIMARY KEY REFERENCES models (id),
  mapping  TEXT NOT NULL  -- {"endpoints": […], "inputs": {field: input}}
);

-- Names of an account for models, in calls of that API.
CREATE TABLE model_aliases (
  account_id BIGINT NOT NULL REFERENCES accounts (id),
  name       TEXT NOT NULL,
  model_id   BIGINT NOT NULL REFERENCES models (id),
  created_us BIGINT NOT NULL,
  PRIMARY KEY (account_id, name)
);
CREATE INDEX model_aliases_of_model ON model_aliases (model_id);
