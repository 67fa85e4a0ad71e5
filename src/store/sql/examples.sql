-- name: example_insert
INSERT INTO examples (model_id, place, prediction, input, output, logs)
SELECT $1, CASE WHEN CAST($3 AS BIGINT) = 0
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
-- name: example_first
UPDATE examples SET place = (SELECT MIN(place) FROM examples WHERE model_id = $1) - 1
WHERE model_id = $1 AND prediction = $2;
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
-- name: example_pushed
SELECT p.id, p.version FROM examples AS e JOIN predictions AS p ON p.id = e.prediction
WHERE e.model_id = $1 AND p.kind = 2 ORDER BY e.place;
-- name: example_pushed_first
UPDATE examples SET place = place - (SELECT MAX(place) - MIN(place) + 1 FROM examples WHERE model_id = $1)
WHERE model_id = $1 AND EXISTS (SELECT 1 FROM predictions AS p WHERE p.id = examples.prediction AND p.kind = 2);
-- name: example_forget
DELETE FROM predictions WHERE id = $1 AND kind = 2;
-- name: output_delete_pushed
DELETE FROM outputs WHERE prediction = $1
  AND EXISTS (SELECT 1 FROM predictions WHERE id = $1 AND kind = 2);
