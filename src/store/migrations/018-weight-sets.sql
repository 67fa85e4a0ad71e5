-- Managed weights: sets of files by content. The files lie in the file store while a set is present; one that can be
-- fetched again may be absent.
CREATE TABLE weight_sets (
  digest     TEXT PRIMARY KEY,
  size       BIGINT NOT NULL,
  files      TEXT NOT NULL,   -- [{"path", "size", "sha256"}]
  is_present BIGINT NOT NULL,
  used_us    BIGINT NOT NULL,
  created_us BIGINT NOT NULL
);

CREATE TABLE weight_files (
  digest TEXT NOT NULL REFERENCES weight_sets (digest),
  sha256 TEXT NOT NULL,
  PRIMARY KEY (digest, sha256)
);
CREATE INDEX weight_files_by_content ON weight_files (sha256);

-- Sets that versions use, and where each has them from: that is nothing of other accounts with the same files.
CREATE TABLE version_weight_sets (
  model_id  BIGINT NOT NULL REFERENCES models (id),
  version   TEXT NOT NULL,
  name      TEXT NOT NULL,
  target    TEXT NOT NULL,
  digest    TEXT NOT NULL REFERENCES weight_sets (digest),
  size      BIGINT NOT NULL,
  source    TEXT NOT NULL,
  can_fetch BIGINT NOT NULL,
  any_host  BIGINT NOT NULL,
  is_pinned BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (model_id, version, name)
);
CREATE INDEX version_weight_sets_by_digest ON version_weight_sets (digest);

-- They count as bytes of who owns the model.
CREATE TRIGGER weight_sets_come AFTER INSERT ON version_weight_sets BEGIN
  INSERT INTO stored_bytes (account_id, bytes)
  SELECT account_id, new.size FROM models WHERE id = new.model_id
  ON CONFLICT (account_id) DO UPDATE SET bytes = stored_bytes.bytes + excluded.bytes;
END;
CREATE TRIGGER weight_sets_go AFTER DELETE ON version_weight_sets BEGIN
  UPDATE stored_bytes SET bytes = bytes - old.size
  WHERE account_id = (SELECT account_id FROM models WHERE id = old.model_id);
END;
