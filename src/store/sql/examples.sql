-- name: example_insert
INSERT INTO examples (model_id, place, prediction, input, output, logs)
SELECT $1, CASE WHEN $3 = 0
    THEN COALESCE((SELECT MAX(place) FROM examples WHERE model_id = $1), 0) + 1
    ELSE COALESCE((SELECT MIN(place) FROM examples WHERE model_id = $1), 2) - 1 END,
  id, input, output, logs
FROM predictions WHERE id = $2;
-- name: example_count
SELECT COUNT(*) FROM examples WHERE model_id = $1;
-- name: example_page
SELECT place, prediction, input, output, logs FROM examples
WHERE model_id = $1 AND place > $2 ORDER BY place LIMIT $3;
-- name: example_get
SELECT place, prediction, input, output, logs FROM examples WHERE prediction = $1;
-- name: example_delete
DELETE FROM examples WHERE model_id = $1 AND prediction = $2;
-- name: example_delete_all
DELETE FROM examples WHERE model_id = $1;
-- name: example_set_default
UPDATE models SET default_example = (SELECT prediction FROM examples WHERE model_id = $1
                                     ORDER BY place LIMIT 1)
WHERE id = $1;
-- name: output_delete_removed
DELETE FROM outputs WHERE prediction = $1
  AND EXISTS (SELECT 1 FROM predictions WHERE id = $1 AND data_removed <> 0);
