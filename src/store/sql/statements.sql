-- name: statement_runs
SELECT u.model_id, m.owner || '/' || m.name, u.deployment, u.hardware, u.paid, u.predictions,
  u.run_us, 0, 0, 0, u.billed_us
FROM (SELECT model_id, deployment, hardware, COALESCE(price, -1) AS paid, COUNT(*) AS predictions,
        SUM(run_us) AS run_us, SUM(run_us * billed) AS billed_us
      FROM usage WHERE account_id = $1 AND ended_us >= $2 AND ended_us < $3
      GROUP BY model_id, deployment, hardware, paid
      ORDER BY model_id, deployment, hardware, paid LIMIT $4) AS u
LEFT JOIN models AS m ON m.id = u.model_id;
-- name: statement_instances
SELECT u.model_id, m.owner || '/' || m.name, u.deployment, u.hardware, u.paid, 0, 0, u.setup_us,
  u.idle_us, u.active_us, u.billed_us
FROM (SELECT model_id, deployment, hardware, COALESCE(price, -1) AS paid,
        SUM(setup_us) AS setup_us, SUM(idle_us) AS idle_us, SUM(active_us) AS active_us,
        SUM((ended_us - began_us) * billed) AS billed_us
      FROM instance_usage
      WHERE account_id = $1 AND began_us >= $2 AND began_us < $3 AND ended_us <= $3
      GROUP BY model_id, deployment, hardware, paid
      ORDER BY model_id, deployment, hardware, paid LIMIT $4) AS u
LEFT JOIN models AS m ON m.id = u.model_id;
-- name: statement_cut
SELECT {instance_usage},
  (SELECT owner || '/' || name FROM models WHERE models.id = instance_usage.model_id)
FROM instance_usage
WHERE account_id = $1 AND began_us > $2 - 3600000000 AND began_us < $2 AND ended_us > $2
ORDER BY began_us, instance LIMIT $3;
