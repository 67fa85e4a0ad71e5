-- columns: new_instance_usage
account_id, began_us, instance, ended_us, model_id, deployment, hardware, price, billed, setup_us,
idle_us, active_us
-- columns: instance_usage
instance, account_id, model_id, deployment, hardware, COALESCE(price, -1) AS price, billed,
began_us, ended_us, setup_us, idle_us, active_us
-- name: instance_usage_put
INSERT INTO instance_usage ({new_instance_usage}) VALUES ({new_instance_usage.values})
ON CONFLICT (account_id, began_us, instance) DO UPDATE SET ended_us = excluded.ended_us,
  setup_us = excluded.setup_us, idle_us = excluded.idle_us, active_us = excluded.active_us
WHERE excluded.ended_us > instance_usage.ended_us;
-- name: instance_usage_last
SELECT {instance_usage}
FROM instance_usage WHERE instance = $1 ORDER BY began_us DESC, account_id LIMIT 1;
