-- The registry. A repository is a model's own, `path` '', or what follows owner/name/.
CREATE TABLE registry_repositories (
  id       BIGINT PRIMARY KEY,
  model_id BIGINT NOT NULL REFERENCES models (id),
  path     TEXT NOT NULL,
  UNIQUE (model_id, path)
);

-- What manifests of the repository may name. `digest` is the client's, "sha256:…" or "sha512:…"; the bytes lie in the
-- file store under `sha256`. `used_us`: pushed, or looked for by a push.
CREATE TABLE registry_blobs (
  repository BIGINT NOT NULL REFERENCES registry_repositories (id),
  digest     TEXT NOT NULL,
  sha256     TEXT NOT NULL,
  size       BIGINT NOT NULL,
  used_us    BIGINT NOT NULL,
  PRIMARY KEY (repository, digest)
);
CREATE INDEX registry_blobs_by_content ON registry_blobs (sha256);
CREATE INDEX registry_blobs_by_digest ON registry_blobs (digest);

CREATE TABLE registry_manifests (
  repository    BIGINT NOT NULL REFERENCES registry_repositories (id),
  digest        TEXT NOT NULL,
  sha256        TEXT NOT NULL,
  size          BIGINT NOT NULL,
  media_type    TEXT NOT NULL,
  artifact_type TEXT,  -- as lists of referrers show it
  annotations   TEXT,
  subject       TEXT,
  used_us       BIGINT NOT NULL,
  PRIMARY KEY (repository, digest)
);
CREATE INDEX registry_manifests_by_content ON registry_manifests (sha256);
CREATE INDEX registry_manifests_by_subject ON registry_manifests (repository, subject, digest)
  WHERE subject IS NOT NULL;

-- The blobs of a manifest, and the manifests of an index.
CREATE TABLE registry_parts (
  repository  BIGINT NOT NULL,
  manifest    TEXT NOT NULL,
  digest      TEXT NOT NULL,
  is_manifest BIGINT NOT NULL,
  PRIMARY KEY (repository, manifest, digest)
) WITHOUT ROWID;
CREATE INDEX registry_parts_by_digest ON registry_parts (repository, digest);

CREATE TABLE registry_tags (
  repository BIGINT NOT NULL,
  name       TEXT NOT NULL,
  digest     TEXT NOT NULL,
  PRIMARY KEY (repository, name)
) WITHOUT ROWID;
CREATE INDEX registry_tags_by_digest ON registry_tags (repository, digest);

-- Blobs on their way.
CREATE TABLE registry_uploads (
  id         TEXT PRIMARY KEY,
  repository BIGINT NOT NULL REFERENCES registry_repositories (id),
  created_us BIGINT NOT NULL
);
CREATE INDEX registry_uploads_by_age ON registry_uploads (created_us);
CREATE INDEX registry_uploads_of_repository ON registry_uploads (repository);

-- The digest of the manifest that the version is; NULL: a pushed source.
ALTER TABLE versions ADD COLUMN image TEXT;
CREATE INDEX versions_by_image ON versions (model_id, image) WHERE image IS NOT NULL;

-- Blobs and manifests count as bytes of who owns the model.
CREATE TRIGGER registry_blobs_come AFTER INSERT ON registry_blobs BEGIN
  INSERT INTO stored_bytes (account_id, bytes)
  SELECT m.account_id, new.size FROM registry_repositories AS r JOIN models AS m ON m.id = r.model_id
  WHERE r.id = new.repository
  ON CONFLICT (account_id) DO UPDATE SET bytes = stored_bytes.bytes + excluded.bytes;
END;
CREATE TRIGGER registry_blobs_go AFTER DELETE ON registry_blobs BEGIN
  UPDATE stored_bytes SET bytes = bytes - old.size
  WHERE account_id = (SELECT m.account_id FROM registry_repositories AS r JOIN models AS m ON m.id = r.model_id
                      WHERE r.id = old.repository);
END;
CREATE TRIGGER registry_manifests_come AFTER INSERT ON registry_manifests BEGIN
  INSERT INTO stored_bytes (account_id, bytes)
  SELECT m.account_id, new.size FROM registry_repositories AS r JOIN models AS m ON m.id = r.model_id
  WHERE r.id = new.repository
  ON CONFLICT (account_id) DO UPDATE SET bytes = stored_bytes.bytes + excluded.bytes;
END;
CREATE TRIGGER registry_manifests_go AFTER DELETE ON registry_manifests BEGIN
  UPDATE stored_bytes SET bytes = bytes - old.size
  WHERE account_id = (SELECT m.account_id FROM registry_repositories AS r JOIN models AS m ON m.id = r.model_id
                      WHERE r.id = old.repository);
END;
