-- A version that a training has made: the source and the environment of another version, and weights of its own.
ALTER TABLE versions ADD COLUMN source TEXT;   -- version whose folder has the source; NULL: this one
ALTER TABLE versions ADD COLUMN base TEXT;     -- version that was trained; NULL: pushed
ALTER TABLE versions ADD COLUMN training TEXT; -- the training that made it; NULL: pushed
CREATE INDEX versions_of_source ON versions (source) WHERE source IS NOT NULL;
CREATE INDEX trainings_of_destination ON trainings (destination);

-- Contents of the file store that versions hold.
CREATE TABLE version_weights (
  model_id BIGINT NOT NULL REFERENCES models (id),
  version  TEXT NOT NULL,
  name     TEXT NOT NULL,
  size     BIGINT NOT NULL,
  sha256   TEXT NOT NULL,
  PRIMARY KEY (model_id, version, name)
);
CREATE INDEX version_weights_by_content ON version_weights (sha256);

-- They count as bytes of who owns the model.
CREATE TRIGGER weights_come AFTER INSERT ON version_weights BEGIN
  INSERT INTO stored_bytes (account_id, bytes)
  SELECT account_id, new.size FROM models WHERE id = new.model_id
  ON CONFLICT (account_id) DO UPDATE SET bytes = stored_bytes.bytes + excluded.bytes;
END;
CREATE TRIGGER weights_go AFTER DELETE ON version_weights BEGIN
  UPDATE stored_bytes SET bytes = bytes - old.size
  WHERE account_id = (SELECT account_id FROM models WHERE id = old.model_id);
END;
