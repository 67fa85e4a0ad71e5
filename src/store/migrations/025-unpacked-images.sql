-- Images whose root file systems are on disk. Their bytes count as those of who owns the model.
CREATE TABLE unpacked_images (
  model_id BIGINT NOT NULL REFERENCES models (id),
  version  TEXT NOT NULL,
  bytes    BIGINT NOT NULL,
  PRIMARY KEY (model_id, version)
);

CREATE TRIGGER unpacked_images_come AFTER INSERT ON unpacked_images BEGIN
  INSERT INTO stored_bytes (account_id, bytes)
  SELECT m.account_id, new.bytes FROM models AS m WHERE m.id = new.model_id
  ON CONFLICT (account_id) DO UPDATE SET bytes = stored_bytes.bytes + excluded.bytes;
END;
CREATE TRIGGER unpacked_images_go AFTER DELETE ON unpacked_images BEGIN
  UPDATE stored_bytes SET bytes = bytes - old.bytes
  WHERE account_id = (SELECT m.account_id FROM models AS m WHERE m.id = old.model_id);
END;
