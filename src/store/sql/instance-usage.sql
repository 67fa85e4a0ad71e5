-- name: instance_usage_put
INSERT INTO instance_usage (account_id, began_us, instance, ended_us, model_id, deployment, hardware,
  price, billed, setup_us, idle_us, active_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (account_id, began_us, instance) DO UPDATE SET ended_us = excluded.ended_us,
  setup_us = excluded.setup_us, idle_us = excluded.idle_us, active_us = excluded.active_us
WHERE excluded.ended_us > instance_usage.ended_us;
-- name: instance_usage_last
SELECT instance, account_id, model_id, deployment, hardware, COALESCE(price, -1), billed, began_us,
  ended_us, setup_us, idle_us, active_us
FROM instance_usage WHERE instance = $1 ORDER BY began_us DESC LIMIT 1;
