-- columns: new_decision
at_us, kind, model, version, deployment, instance, prediction, sentence, inputs
-- columns: decision
id, {new_decision}
-- name: decision_insert
INSERT INTO decisions (id, {new_decision})
VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM decisions), {new_decision.values});
-- name: decision_page
SELECT {decision}
FROM decisions WHERE (at_us, id) < ($1, $2) AND at_us >= $3
ORDER BY at_us DESC, id DESC LIMIT $4;
-- name: decision_model_page
SELECT {decision}
FROM decisions WHERE model = $5 AND (at_us, id) < ($1, $2) AND at_us >= $3
ORDER BY at_us DESC, id DESC LIMIT $4;
-- name: decision_of_prediction
SELECT {decision}
FROM decisions WHERE prediction = $1 ORDER BY id LIMIT $2;
-- name: decision_of_instance
SELECT {decision}
FROM decisions WHERE instance = $1 AND prediction IS NULL ORDER BY id LIMIT $2;
-- name: decision_during
SELECT {decision}
FROM decisions
WHERE model = $1 AND at_us >= $2 AND at_us <= $3 AND prediction IS NULL AND version = $4
  AND COALESCE(deployment, '') = $5
ORDER BY at_us, id LIMIT $6;
-- name: decision_expire
DELETE FROM decisions WHERE id IN
  (SELECT id FROM decisions WHERE at_us < $1 ORDER BY at_us, id LIMIT $2);
-- name: decision_trim
DELETE FROM decisions WHERE id IN
  (SELECT id FROM decisions WHERE id <= (SELECT MAX(id) FROM decisions) - $1 ORDER BY id LIMIT $2);
