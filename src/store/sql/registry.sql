-- columns: registry_blob
repository, digest, sha256, size, used_us
-- columns: registry_manifest
repository, digest, sha256, size, media_type, artifact_type, annotations, subject, used_us
-- name: registry_repository_find
SELECT id FROM registry_repositories WHERE model_id = $1 AND path = $2;
-- name: registry_repository_insert
INSERT INTO registry_repositories (id, model_id, path)
VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM registry_repositories), $1, $2)
ON CONFLICT (model_id, path) DO NOTHING;
-- name: registry_repositories
SELECT id FROM registry_repositories;
-- name: registry_upload_insert
INSERT INTO registry_uploads (id, repository, created_us) VALUES ($1, $2, $3);
-- name: registry_upload_get
SELECT repository FROM registry_uploads WHERE id = $1;
-- name: registry_upload_delete
DELETE FROM registry_uploads WHERE id = $1;
-- name: registry_uploads_before
SELECT id FROM registry_uploads WHERE created_us < $1;
-- name: registry_blob_put
INSERT INTO registry_blobs ({registry_blob}) VALUES ({registry_blob.values})
ON CONFLICT (repository, digest) DO UPDATE SET used_us = excluded.used_us;
-- name: registry_blob_get
SELECT {registry_blob} FROM registry_blobs WHERE repository = $1 AND digest = $2;
-- name: registry_blob_find
SELECT {registry_blob} FROM registry_blobs
WHERE digest = $2
  AND repository IN (SELECT r.id FROM registry_repositories AS r JOIN models AS m ON m.id = r.model_id
                     WHERE m.account_id = $1)
LIMIT 1;
-- name: registry_blob_use
UPDATE registry_blobs SET used_us = $3 WHERE repository = $1 AND digest = $2;
-- name: registry_blob_needed
SELECT manifest FROM registry_parts WHERE repository = $1 AND digest = $2 AND is_manifest = 0 LIMIT 1;
-- name: registry_blob_delete
DELETE FROM registry_blobs WHERE repository = $1 AND digest = $2;
-- name: registry_blobs_unused
SELECT {registry_blob} FROM registry_blobs AS b
WHERE repository = $1 AND used_us < $2
  AND NOT EXISTS (SELECT 1 FROM registry_parts AS p WHERE p.repository = $1 AND p.digest = b.digest)
LIMIT $3;
-- name: registry_manifest_put
INSERT INTO registry_manifests ({registry_manifest}) VALUES ({registry_manifest.values})
ON CONFLICT (repository, digest) DO UPDATE SET used_us = excluded.used_us;
-- name: registry_manifest_get
SELECT {registry_manifest} FROM registry_manifests WHERE repository = $1 AND digest = $2;
-- name: registry_manifest_delete
DELETE FROM registry_manifests WHERE repository = $1 AND digest = $2;
-- name: registry_manifest_delete_parts
DELETE FROM registry_parts WHERE repository = $1 AND manifest = $2;
-- name: registry_manifest_delete_tags
DELETE FROM registry_tags WHERE repository = $1 AND digest = $2;
-- name: registry_referrers
SELECT {registry_manifest} FROM registry_manifests
WHERE repository = $1 AND subject = $2 AND digest > $3 AND (CAST($4 AS TEXT) IS NULL OR artifact_type = $4)
ORDER BY digest LIMIT $5;
-- What tags and versions keep, with the manifests of an index and with what refers to them.
-- name: registry_manifests_unused
WITH RECURSIVE kept (digest) AS (
  SELECT digest FROM (
    SELECT digest FROM registry_tags WHERE repository = $1
    UNION
    SELECT v.image FROM registry_repositories AS r JOIN versions AS v ON v.model_id = r.model_id
    WHERE r.id = $1 AND r.path = '' AND v.image IS NOT NULL
    UNION
    SELECT digest FROM registry_manifests WHERE repository = $1 AND used_us >= $2) AS roots
  UNION
  SELECT n.digest FROM kept AS k JOIN (
    SELECT manifest AS named_by, digest FROM registry_parts WHERE repository = $1 AND is_manifest <> 0
    UNION ALL
    SELECT subject, digest FROM registry_manifests WHERE repository = $1 AND subject IS NOT NULL) AS n
  ON n.named_by = k.digest)
SELECT {registry_manifest} FROM registry_manifests
WHERE repository = $1 AND used_us < $2 AND digest NOT IN (SELECT digest FROM kept)
LIMIT $3;
-- name: registry_part_insert
INSERT INTO registry_parts (repository, manifest, digest, is_manifest) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING;
-- name: registry_indexes_of
SELECT manifest FROM registry_parts WHERE repository = $1 AND digest = $2 AND is_manifest <> 0;
-- name: registry_images_of
SELECT p.digest FROM registry_parts AS p
JOIN registry_repositories AS r ON r.id = p.repository
JOIN versions AS v ON v.model_id = r.model_id AND v.image = p.digest
WHERE p.repository = $1 AND p.manifest = $2 AND p.is_manifest <> 0;
-- name: registry_tag_get
SELECT digest FROM registry_tags WHERE repository = $1 AND name = $2;
-- name: registry_tag_put
INSERT INTO registry_tags (repository, name, digest) VALUES ($1, $2, $3)
ON CONFLICT (repository, name) DO UPDATE SET digest = excluded.digest WHERE registry_tags.digest <> excluded.digest;
-- name: registry_tag_delete
DELETE FROM registry_tags WHERE repository = $1 AND name = $2;
-- name: registry_tags
SELECT name FROM registry_tags WHERE repository = $1 AND name > $2 ORDER BY name LIMIT $3;
-- name: registry_forget_version
DELETE FROM registry_tags
WHERE repository = (SELECT id FROM registry_repositories WHERE model_id = $1 AND path = '')
  AND (digest = $2
       OR digest IN (SELECT p.manifest FROM registry_parts AS p
                     WHERE p.repository = registry_tags.repository AND p.digest = $2 AND p.is_manifest <> 0));
-- name: registry_forget_tags
DELETE FROM registry_tags WHERE repository IN (SELECT id FROM registry_repositories WHERE model_id = $1);
-- name: registry_forget_parts
DELETE FROM registry_parts WHERE repository IN (SELECT id FROM registry_repositories WHERE model_id = $1);
-- name: registry_forget_manifests
DELETE FROM registry_manifests WHERE repository IN (SELECT id FROM registry_repositories WHERE model_id = $1);
-- name: registry_forget_blobs
DELETE FROM registry_blobs WHERE repository IN (SELECT id FROM registry_repositories WHERE model_id = $1);
-- name: registry_forget_uploads
DELETE FROM registry_uploads WHERE repository IN (SELECT id FROM registry_repositories WHERE model_id = $1);
-- name: registry_forget_repositories
DELETE FROM registry_repositories WHERE model_id = $1;
