-- name: history_rows
SELECT model, deployment, created_us, started_us, completed_us
FROM predictions
WHERE account_id = $1 AND kind = 0 AND created_us >= $2 AND created_us < $3
ORDER BY created_us DESC, id DESC LIMIT $4;
-- name: history_boots
SELECT inputs FROM
  (SELECT kind, deployment, inputs FROM decisions WHERE model = $1
   ORDER BY at_us DESC, id DESC LIMIT $3) AS d
WHERE kind = 'ready' AND COALESCE(deployment, '') = $2 LIMIT $4;
