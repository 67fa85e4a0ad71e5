-- Covers of models, out of their own files. `models.cover_image_url` has "vend-cover:<token>/<name>" then; the token is
-- the capability in the URL.
CREATE TABLE covers (
  model_id     BIGINT PRIMARY KEY REFERENCES models (id),
  account_id   BIGINT NOT NULL,
  token        TEXT NOT NULL UNIQUE,
  name         TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size         BIGINT NOT NULL,
  sha256       TEXT NOT NULL,
  created_us   BIGINT NOT NULL
);
CREATE INDEX covers_by_content ON covers (sha256);
CREATE TRIGGER covers_come AFTER INSERT ON covers BEGIN
  INSERT INTO stored_bytes (account_id, bytes) VALUES (new.account_id, new.size)
  ON CONFLICT (account_id) DO UPDATE SET bytes = stored_bytes.bytes + excluded.bytes;
END;
CREATE TRIGGER covers_go AFTER DELETE ON covers BEGIN
  UPDATE stored_bytes SET bytes = bytes - old.size WHERE account_id = old.account_id;
END;
-- predictions.kind 2: examples that came with the files of their model.
