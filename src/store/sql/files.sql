-- name: file_insert
INSERT INTO files (id, account_id, name, content_type, size, sha256, md5, metadata, created_us,
  expires_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);
-- name: file_get
SELECT id, account_id, name, content_type, size, sha256, md5, metadata, created_us, expires_us
FROM files WHERE id = $1;
-- name: file_page
SELECT id, account_id, name, content_type, size, sha256, md5, metadata, created_us, expires_us
FROM files WHERE account_id = $1 AND (created_us, id) < ($2, $3) AND expires_us > $4
ORDER BY created_us DESC, id DESC LIMIT $5;
-- name: file_delete
DELETE FROM files WHERE id = $1;
-- name: file_expired
SELECT id, account_id, name, content_type, size, sha256, md5, metadata, created_us, expires_us
FROM files WHERE expires_us < $1 ORDER BY expires_us LIMIT $2;
-- name: output_insert
INSERT INTO outputs (token, prediction, name, content_type, size, sha256, created_us, is_input)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (token) DO NOTHING;
-- name: output_insert_early
INSERT INTO outputs (token, prediction, name, content_type, size, sha256, created_us, is_input)
SELECT $1, $2, $3, $4, $5, $6, $7, $8
WHERE EXISTS (SELECT 1 FROM predictions WHERE id = $2 AND data_removed = 0)
ON CONFLICT (token) DO NOTHING;
-- name: output_get
SELECT token, prediction, name, content_type, size, sha256, created_us, is_input
FROM outputs WHERE token = $1;
-- name: output_list
SELECT token, prediction, name, content_type, size, sha256, created_us, is_input
FROM outputs WHERE prediction = $1;
-- name: output_delete_of_prediction
DELETE FROM outputs WHERE prediction = $1;
-- name: blob_used
SELECT 1 WHERE EXISTS (SELECT 1 FROM files WHERE sha256 = $1)
  OR EXISTS (SELECT 1 FROM outputs WHERE sha256 = $1)
  OR EXISTS (SELECT 1 FROM prediction_inputs WHERE sha256 = $1);
-- name: stored_bytes
SELECT bytes FROM stored_bytes WHERE account_id = $1;
-- name: upload_insert
INSERT INTO uploads (id, account_id, sha256, size, created_us) VALUES ($1, $2, $3, $4, $5);
-- name: upload_get
SELECT id, account_id, sha256, size, created_us FROM uploads WHERE id = $1;
-- name: upload_by_content
SELECT id, account_id, sha256, size, created_us FROM uploads
WHERE account_id = $1 AND sha256 = $2 AND size = $3 ORDER BY created_us DESC LIMIT 1;
-- name: upload_delete
DELETE FROM uploads WHERE id = $1;
-- name: upload_expired
SELECT id, account_id, sha256, size, created_us FROM uploads WHERE created_us < $1
  AND id NOT IN (SELECT upload FROM builds WHERE completed_us = 0);
-- name: build_insert
INSERT INTO builds (id, account_id, model_id, upload, source_sha256, options, status, created_us,
  completed_us)
VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, 0);
-- name: build_get
SELECT id, account_id, model_id, upload, source_sha256, options, status, error, version, created_us,
  completed_us
FROM builds WHERE id = $1;
-- name: build_open
SELECT id, account_id, model_id, upload, source_sha256, options, status, error, version, created_us,
  completed_us
FROM builds WHERE completed_us = 0 ORDER BY created_us, id;
-- name: build_complete
UPDATE builds SET status = $2, error = $3, version = $4, completed_us = $5
WHERE id = $1 AND completed_us = 0;
