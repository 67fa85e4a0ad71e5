-- name: usage_total
SELECT NULL, 0, hardware, COUNT(*), SUM(run_us), COALESCE(price, -1) AS paid, SUM(run_us * billed)
FROM usage WHERE account_id = $1 AND ended_us >= $2 AND ended_us < $3
GROUP BY hardware, paid ORDER BY hardware, paid LIMIT $4;
-- name: usage_by_model
SELECT m.owner || '/' || m.name, 0, u.hardware, u.predictions, u.run_us, u.paid, u.billed_us
FROM (SELECT model_id, hardware, COALESCE(price, -1) AS paid, COUNT(*) AS predictions,
        SUM(run_us) AS run_us, SUM(run_us * billed) AS billed_us
      FROM usage WHERE account_id = $1 AND ended_us >= $2 AND ended_us < $3
      GROUP BY model_id, hardware, paid) AS u
LEFT JOIN models AS m ON m.id = u.model_id
ORDER BY u.run_us DESC, u.model_id, u.hardware, u.paid LIMIT $4;
-- name: usage_by_day
SELECT NULL, ended_us / 86400000000 * 86400000000 AS day_us, hardware, COUNT(*), SUM(run_us),
  COALESCE(price, -1) AS paid, SUM(run_us * billed)
FROM usage WHERE account_id = $1 AND ended_us >= $2 AND ended_us < $3
GROUP BY day_us, hardware, paid ORDER BY day_us, hardware, paid LIMIT $4;
-- name: usage_of_prediction
SELECT NULL, 0, hardware, 1, run_us, COALESCE(price, -1), run_us * billed
FROM usage WHERE account_id = $1 AND ended_us = $2 AND prediction = $3;
