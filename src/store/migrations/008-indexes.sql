-- Counting an account's models and deleting a model's builds looked at every row.
CREATE INDEX models_of_account ON models (account_id);
CREATE INDEX builds_of_model ON builds (model_id);
