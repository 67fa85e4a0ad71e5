-- columns: weights
model_id, version, name, size, sha256
-- name: weights_insert
INSERT INTO version_weights ({weights}) VALUES ({weights.values});
-- name: weights_of_version
SELECT {weights}
FROM version_weights WHERE model_id = $1 AND version = $2 ORDER BY name;
-- name: weights_delete_of_version
DELETE FROM version_weights WHERE model_id = $1 AND version = $2;
-- name: training_destination
SELECT destination FROM trainings WHERE prediction = $1;
