-- Secrets of models (place 0) and deployments (place 1): variables of their instances, sealed with the key of the
-- installation, which is a file and not in here.
CREATE TABLE secrets (
  place    BIGINT NOT NULL,
  owner_id BIGINT NOT NULL, -- of the model or deployment
  name     TEXT NOT NULL,
  sealed   TEXT NOT NULL,
  size     BIGINT NOT NULL, -- of the value in bytes
  set_us   BIGINT NOT NULL,
  PRIMARY KEY (place, owner_id, name)
);

CREATE TRIGGER secrets_go_with_model AFTER DELETE ON models BEGIN
  DELETE FROM secrets WHERE place = 0 AND owner_id = old.id;
END;
CREATE TRIGGER secrets_go_with_deployment AFTER DELETE ON deployments BEGIN
  DELETE FROM secrets WHERE place = 1 AND owner_id = old.id;
END;
