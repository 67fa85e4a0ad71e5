-- columns: new_usage
prediction, attempt, account_id, model_id, hardware, run_us, ended_us, deployment, price, billed
-- columns: new_prediction
id, kind, account_id, model_id, model, version, deployment, status, from_web, input, files, secrets,
created_us, deadline_us, webhook, webhook_events, origin, stream, queue_place
-- columns: prediction
id, kind, account_id, model_id, model, version, deployment, status, from_web, input, secrets,
output, logs, error, error_code, metrics, created_us, started_us, completed_us, deadline_us,
cancel_requested, attempt, instance, webhook, webhook_events, data_removed, files, origin, stream,
queue_place
-- name: prediction_insert
INSERT INTO predictions ({new_prediction}, logs, started_us, completed_us, cancel_requested, attempt,
  data_removed)
VALUES ({new_prediction.values}, '', 0, 0, 0, 0, 0);
-- name: prediction_get
SELECT {prediction}
FROM predictions WHERE id = $1;
-- name: prediction_input
SELECT input, files FROM predictions WHERE id = $1;
-- name: prediction_open
SELECT {prediction}
FROM predictions WHERE completed_us = 0 ORDER BY created_us, id;
-- name: prediction_open_of
SELECT 1 FROM predictions WHERE completed_us = 0 AND model_id = $1 AND version = $2 LIMIT 1;
-- name: prediction_page
SELECT {prediction}
FROM predictions
WHERE account_id = $1 AND kind = $2 AND (created_us, id) < ($3, $4) AND created_us >= $5
  AND (CAST($7 AS TEXT) IS NULL OR model = $7) AND (CAST($8 AS TEXT) IS NULL OR version = $8)
  AND (CAST($9 AS TEXT) IS NULL OR deployment = $9) AND (CAST($10 AS BIGINT) < 0 OR status = $10) AND (CAST($11 AS BIGINT) = 0 OR from_web = 1)
ORDER BY created_us DESC, id DESC LIMIT $6;
-- name: prediction_page_web
SELECT {prediction}
FROM predictions
WHERE from_web = 1 AND account_id = $1 AND kind = $2 AND (created_us, id) < ($3, $4) AND created_us >= $5
  AND (CAST($7 AS TEXT) IS NULL OR model = $7) AND (CAST($8 AS TEXT) IS NULL OR version = $8)
  AND (CAST($9 AS TEXT) IS NULL OR deployment = $9) AND (CAST($10 AS BIGINT) < 0 OR status = $10) AND (CAST($11 AS BIGINT) = 0 OR from_web = 1)
ORDER BY created_us DESC, id DESC LIMIT $6;
-- name: prediction_page_model
SELECT {prediction}
FROM predictions
WHERE model = $7 AND account_id = $1 AND kind = $2 AND (created_us, id) < ($3, $4) AND created_us >= $5
  AND (CAST($7 AS TEXT) IS NULL OR model = $7) AND (CAST($8 AS TEXT) IS NULL OR version = $8)
  AND (CAST($9 AS TEXT) IS NULL OR deployment = $9) AND (CAST($10 AS BIGINT) < 0 OR status = $10) AND (CAST($11 AS BIGINT) = 0 OR from_web = 1)
ORDER BY created_us DESC, id DESC LIMIT $6;
-- name: prediction_page_deployment
SELECT {prediction}
FROM predictions
WHERE deployment = $9 AND account_id = $1 AND kind = $2 AND (created_us, id) < ($3, $4) AND created_us >= $5
  AND (CAST($7 AS TEXT) IS NULL OR model = $7) AND (CAST($8 AS TEXT) IS NULL OR version = $8)
  AND (CAST($9 AS TEXT) IS NULL OR deployment = $9) AND (CAST($10 AS BIGINT) < 0 OR status = $10) AND (CAST($11 AS BIGINT) = 0 OR from_web = 1)
ORDER BY created_us DESC, id DESC LIMIT $6;
-- name: prediction_page_open
SELECT {prediction}
FROM predictions
WHERE completed_us = 0 AND +account_id = $1 AND +kind = $2 AND (created_us, id) < ($3, $4) AND created_us >= $5
  AND (CAST($7 AS TEXT) IS NULL OR model = $7) AND (CAST($8 AS TEXT) IS NULL OR version = $8)
  AND (CAST($9 AS TEXT) IS NULL OR deployment = $9) AND (CAST($10 AS BIGINT) < 0 OR status = $10) AND (CAST($11 AS BIGINT) = 0 OR from_web = 1)
ORDER BY created_us DESC, id DESC LIMIT $6;
-- name: prediction_page_unsuccessful
SELECT {prediction}
FROM predictions
WHERE status > 2 AND status = $10 AND account_id = $1 AND kind = $2 AND (created_us, id) < ($3, $4) AND created_us >= $5
  AND (CAST($7 AS TEXT) IS NULL OR model = $7) AND (CAST($8 AS TEXT) IS NULL OR version = $8)
  AND (CAST($9 AS TEXT) IS NULL OR deployment = $9) AND (CAST($10 AS BIGINT) < 0 OR status = $10) AND (CAST($11 AS BIGINT) = 0 OR from_web = 1)
ORDER BY created_us DESC, id DESC LIMIT $6;
-- name: prediction_lease
UPDATE predictions SET status = $2, attempt = $3, instance = $4, started_us = $5, output = $6,
  queue_place = $7
WHERE id = $1 AND completed_us + 0 = 0 AND attempt <= $3;
-- name: prediction_cancel_request
UPDATE predictions SET cancel_requested = 1 WHERE id = $1 AND completed_us + 0 = 0;
-- name: prediction_complete
UPDATE predictions SET status = $3, input = COALESCE($4, input), output = $5, logs = $6, error = $7,
  error_code = $8, metrics = $9, started_us = $10, completed_us = $11, attempt = $2, instance = $12
WHERE id = $1 AND completed_us + 0 = 0 AND attempt <= $2;
-- name: prediction_expired
SELECT id FROM predictions
WHERE completed_us > 0 AND completed_us < $1 AND data_removed = 0 AND from_web = 0
ORDER BY completed_us LIMIT $2;
-- name: prediction_remove_data
UPDATE predictions SET input = '{}', files = NULL, output = NULL, logs = '', data_removed = $2
WHERE id = $1 AND completed_us > 0;
-- name: prediction_input_insert
INSERT INTO prediction_inputs (prediction, sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING;
-- name: prediction_input_delete
DELETE FROM prediction_inputs WHERE prediction = $1;
-- name: training_insert
INSERT INTO trainings (prediction, destination) VALUES ($1, $2);
-- name: attempt_insert
INSERT INTO attempts (prediction, attempt, instance, started_us, ended_us, outcome)
SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (SELECT 1 FROM predictions WHERE id = $1)
ON CONFLICT (prediction, attempt) DO NOTHING;
-- name: attempt_list
SELECT attempt, instance, started_us, ended_us, outcome FROM attempts
WHERE prediction = $1 ORDER BY attempt LIMIT $2;
-- name: usage_insert
INSERT INTO usage ({new_usage}) VALUES ({new_usage.values});
