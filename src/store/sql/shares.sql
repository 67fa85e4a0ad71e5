-- columns: share
prediction, token, created_us
-- name: share_insert
INSERT INTO shares ({share}) VALUES ({share.values}) ON CONFLICT (prediction) DO NOTHING;
-- name: share_of
SELECT {share} FROM shares WHERE prediction = $1;
-- name: share_by_token
SELECT {share} FROM shares WHERE token = $1;
-- name: share_delete
DELETE FROM shares WHERE prediction = $1;
