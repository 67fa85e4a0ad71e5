-- name: idempotency_take
INSERT INTO create_keys (account_id, key, digest, prediction, created_us)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, key) DO UPDATE
SET digest = excluded.digest, prediction = excluded.prediction, created_us = excluded.created_us
WHERE create_keys.created_us < $6;
-- name: idempotency_get
SELECT digest, prediction FROM create_keys WHERE account_id = $1 AND key = $2 AND created_us >= $3;
-- name: idempotency_expire
DELETE FROM create_keys WHERE (account_id, key) IN
  (SELECT account_id, key FROM create_keys WHERE created_us < $1
   ORDER BY created_us, account_id, key LIMIT $2);
