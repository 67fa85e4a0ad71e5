-- columns: file
id, account_id, name, content_type, size, sha256, md5, metadata, created_us, expires_us
-- columns: output
token, prediction, name, content_type, size, sha256, created_us, is_input
-- columns: upload
id, account_id, sha256, size, created_us
-- columns: new_build
id, account_id, model_id, upload, source_sha256, options, created_us
-- columns: build
id, account_id, model_id, upload, source_sha256, options, status, error, version, created_us,
completed_us
-- name: file_insert
INSERT INTO files ({file})
VALUES ({file.values});
-- name: file_get
SELECT {file}
FROM files WHERE id = $1;
-- name: file_page
SELECT {file}
FROM files WHERE account_id = $1 AND (created_us, id) < ($2, $3) AND expires_us > $4
ORDER BY created_us DESC, id DESC LIMIT $5;
-- name: file_delete
DELETE FROM files WHERE id = $1;
-- name: file_expired
SELECT {file}
FROM files WHERE expires_us < $1 ORDER BY expires_us LIMIT $2;
-- name: output_insert
INSERT INTO outputs ({output})
VALUES ({output.values}) ON CONFLICT (token) DO NOTHING;
-- name: output_insert_early
INSERT INTO outputs ({output})
SELECT {output.values}
WHERE EXISTS (SELECT 1 FROM predictions WHERE id = {output.prediction} AND data_removed = 0)
ON CONFLICT (token) DO NOTHING;
-- name: output_get
SELECT {output}
FROM outputs WHERE token = $1;
-- name: output_list
SELECT {output}
FROM outputs WHERE prediction = $1;
-- name: output_delete_of_prediction
DELETE FROM outputs WHERE prediction = $1;
-- name: blob_used
SELECT 1 WHERE EXISTS (SELECT 1 FROM files WHERE sha256 = $1)
  OR EXISTS (SELECT 1 FROM outputs WHERE sha256 = $1)
  OR EXISTS (SELECT 1 FROM covers WHERE sha256 = $1)
  OR EXISTS (SELECT 1 FROM prediction_inputs WHERE sha256 = $1)
  OR EXISTS (SELECT 1 FROM version_weights WHERE sha256 = $1)
  OR EXISTS (SELECT 1 FROM weight_files AS f JOIN weight_sets AS s ON s.digest = f.digest
             WHERE f.sha256 = $1 AND s.is_present <> 0)
  OR EXISTS (SELECT 1 FROM registry_blobs WHERE sha256 = $1)
  OR EXISTS (SELECT 1 FROM registry_manifests WHERE sha256 = $1);
-- name: blob_is_input
SELECT 1 WHERE EXISTS (SELECT 1 FROM prediction_inputs WHERE sha256 = $1)
  OR EXISTS (SELECT 1 FROM outputs AS o JOIN predictions AS p ON p.id = o.prediction
             WHERE o.sha256 = $1 AND o.is_input <> 0 AND p.completed_us = 0);
-- name: stored_bytes
SELECT bytes FROM stored_bytes WHERE account_id = $1;
-- name: upload_insert
INSERT INTO uploads ({upload}) VALUES ({upload.values});
-- name: upload_get
SELECT {upload} FROM uploads WHERE id = $1;
-- name: upload_by_content
SELECT {upload} FROM uploads
WHERE account_id = $1 AND sha256 = $2 AND size = $3 ORDER BY created_us DESC, id DESC LIMIT 1;
-- name: upload_delete
DELETE FROM uploads WHERE id = $1;
-- name: upload_expired
SELECT {upload} FROM uploads WHERE created_us < $1
  AND id NOT IN (SELECT upload FROM builds WHERE completed_us = 0);
-- name: build_insert
INSERT INTO builds ({new_build}, status, completed_us)
VALUES ({new_build.values}, 'queued', 0);
-- name: build_get
SELECT {build}
FROM builds WHERE id = $1;
-- name: build_open
SELECT {build}
FROM builds WHERE completed_us = 0 ORDER BY created_us, id;
-- name: build_complete
UPDATE builds SET status = $2, error = $3, version = $4, completed_us = $5
WHERE id = $1 AND completed_us + 0 = 0;
