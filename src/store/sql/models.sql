-- columns: new_model
account_id, owner, name, is_private, hardware, description, readme, github_url, paper_url,
license_url, weights_url, cover_image_url, created_us
-- columns: model
models.id, account_id, owner, name, is_private, hardware, description, readme, github_url,
paper_url, license_url, weights_url, cover_image_url, default_example, latest_version,
COALESCE((SELECT n FROM model_runs WHERE model_id = models.id), 0) AS run_count, models.created_us
-- columns: cover
model_id, account_id, token, name, content_type, size, sha256, created_us
-- columns: version
id, model_id, cog_version, openapi, launch, manifest, source_sha256, source, base, training, image, created_us
-- name: model_insert
INSERT INTO models (id, {new_model}, version_us)
VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM models), {new_model.values}, 0)
RETURNING id;
-- name: model_by_name
SELECT {model}
FROM models WHERE owner = $1 AND name = $2;
-- name: model_by_id
SELECT {model}
FROM models WHERE id = $1;
-- name: model_by_version
SELECT {model}
FROM versions JOIN models ON models.id = versions.model_id
WHERE versions.id = $1 AND (account_id = $2 OR is_private = 0)
ORDER BY account_id <> $2, models.id LIMIT 1;
-- name: model_update
UPDATE models SET description = $2, readme = $3, github_url = $4, paper_url = $5, license_url = $6,
  weights_url = $7, is_private = $8
WHERE id = $1;
-- name: model_present
UPDATE models SET description = COALESCE($2, description), readme = COALESCE($3, readme),
  github_url = COALESCE($4, github_url), paper_url = COALESCE($5, paper_url),
  license_url = COALESCE($6, license_url), cover_image_url = COALESCE($7, cover_image_url)
WHERE id = $1;
-- name: model_delete
DELETE FROM models WHERE id = $1;
-- name: model_delete_runs
DELETE FROM model_runs WHERE model_id = $1;
-- name: model_delete_destination
UPDATE trainings SET destination = 0 WHERE destination = $1;
-- name: model_delete_builds
DELETE FROM builds WHERE model_id = $1 AND completed_us <> 0;
-- name: model_building
SELECT 1 FROM builds WHERE model_id = $1 AND completed_us = 0 LIMIT 1;
-- name: model_count
SELECT COUNT(*) FROM models WHERE account_id = $1;
-- name: model_ran
INSERT INTO model_runs (model_id, n) VALUES ($1, $2)
ON CONFLICT (model_id) DO UPDATE SET n = model_runs.n + excluded.n;
-- name: model_page_version_desc
SELECT {model}, version_us
FROM models
WHERE (version_us, id) < ($1, $2) AND (is_private = 0 OR account_id = $3)
ORDER BY version_us DESC, id DESC LIMIT $4;
-- name: model_page_version_asc
SELECT {model}, version_us
FROM models
WHERE (version_us, id) > ($1, $2) AND (is_private = 0 OR account_id = $3)
ORDER BY version_us, id LIMIT $4;
-- name: model_page_created_desc
SELECT {model}, created_us
FROM models
WHERE (created_us, id) < ($1, $2) AND (is_private = 0 OR account_id = $3)
ORDER BY created_us DESC, id DESC LIMIT $4;
-- name: model_page_created_asc
SELECT {model}, created_us
FROM models
WHERE (created_us, id) > ($1, $2) AND (is_private = 0 OR account_id = $3)
ORDER BY created_us, id LIMIT $4;
-- name: version_insert
INSERT INTO versions ({version}) VALUES ({version.values})
ON CONFLICT (model_id, id) DO NOTHING;
-- name: version_latest_set
UPDATE models SET latest_version = $2, version_us = $3 WHERE id = $1;
-- name: version_latest_set_image
UPDATE models SET latest_version = $2, version_us = $3
WHERE id = $1 AND (CAST($4 AS BIGINT) <> 0 OR latest_version IS NULL);
-- name: version_latest_recount
UPDATE models SET
  latest_version = (SELECT v.id FROM versions v WHERE v.model_id = $1
                    ORDER BY v.created_us DESC, v.id DESC LIMIT 1),
  version_us = COALESCE((SELECT MAX(v.created_us) FROM versions v WHERE v.model_id = $1), 0)
WHERE id = $1;
-- name: version_get
SELECT {version}
FROM versions WHERE model_id = $1 AND id = $2;
-- name: version_has
SELECT 1 FROM versions WHERE model_id = $1 AND id = $2;
-- name: version_by_source
SELECT {version}
FROM versions WHERE model_id = $1 AND source_sha256 = $2 ORDER BY created_us DESC, id DESC LIMIT 1;
-- name: version_page
SELECT {version}
FROM versions WHERE model_id = $1 AND (created_us, id) < ($2, $3)
ORDER BY created_us DESC, id DESC LIMIT $4;
-- name: version_delete
DELETE FROM versions WHERE model_id = $1 AND id = $2;
-- name: version_set_unpacked
INSERT INTO unpacked_images (model_id, version, bytes)
SELECT model_id, id, CAST($3 AS BIGINT) FROM versions WHERE model_id = $1 AND id = $2
ON CONFLICT (model_id, version) DO NOTHING;
-- name: version_forget_unpacked
DELETE FROM unpacked_images WHERE model_id = $1 AND version = $2;
-- name: version_id_used
SELECT 1 WHERE EXISTS (SELECT 1 FROM versions WHERE id = $1 AND source IS NULL AND image IS NULL)
  OR EXISTS (SELECT 1 FROM versions WHERE source = $1);
-- name: version_image_used
SELECT 1 FROM versions WHERE id = $1 AND image IS NOT NULL LIMIT 1;
-- name: version_venvs
SELECT DISTINCT launch FROM versions;
-- name: cover_insert
INSERT INTO covers ({cover}) VALUES ({cover.values});
-- name: cover_get
SELECT {cover}
FROM covers WHERE token = $1;
-- name: cover_delete
DELETE FROM covers WHERE model_id = $1;
