-- columns: new_delivery
id, account_id, prediction, event, url, lane, size, created_us, body
-- columns: delivery
id, account_id, prediction, event, url, lane, state, tries, last_status, last_error, size,
created_us, since_us, due_us, ended_us
-- name: delivery_insert
INSERT INTO webhook_deliveries ({new_delivery}, state, tries, last_status, since_us, due_us, ended_us)
SELECT {new_delivery.values}, 0, 0, 0, {new_delivery.created_us}, {new_delivery.created_us}, 0
WHERE EXISTS (SELECT 1 FROM predictions WHERE id = {new_delivery.prediction})
  AND ({new_delivery.event} <> 'start'
       OR NOT EXISTS (SELECT 1 FROM webhook_deliveries
                      WHERE prediction = {new_delivery.prediction} AND event = 'start'));
-- name: delivery_supersede
DELETE FROM webhook_deliveries WHERE prediction = $1 AND state + 0 = 0 AND event IN ('output', 'logs');
-- name: delivery_strip
UPDATE webhook_deliveries SET body = '',
  state = CASE WHEN state IN (0, 2) THEN 3 ELSE state END,
  last_error = CASE WHEN state IN (0, 2) THEN 'the data of the run were removed' ELSE last_error END,
  ended_us = CASE WHEN state = 0 THEN $2 ELSE ended_us END
WHERE prediction = $1;
-- name: delivery_get
SELECT {delivery}
FROM webhook_deliveries WHERE id = $1;
-- name: delivery_body
SELECT body FROM webhook_deliveries WHERE id = $1 AND state + 0 = 0;
-- name: delivery_next_lane
SELECT lane FROM webhook_deliveries WHERE state = 0 AND lane > $1 ORDER BY lane LIMIT 1;
-- name: delivery_due
SELECT {delivery}
FROM webhook_deliveries AS d
WHERE d.state = 0 AND d.lane = $1 AND d.due_us <= $2
  AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS e
                  WHERE e.prediction = d.prediction AND e.id < d.id AND e.state = 0)
ORDER BY d.due_us, d.id LIMIT $3;
-- name: delivery_next_due
SELECT due_us FROM webhook_deliveries WHERE state = 0 AND due_us > $1 ORDER BY due_us LIMIT 1;
-- name: delivery_hurry
UPDATE webhook_deliveries SET due_us = $1 WHERE state = 0 AND due_us > $2;
-- name: delivery_tried
UPDATE webhook_deliveries SET state = $2, tries = $3, last_status = $4, last_error = $5, due_us = $6,
  ended_us = $7, body = CASE WHEN CAST($2 AS BIGINT) IN (1, 3) THEN '' ELSE body END
WHERE id = $1 AND state + 0 = 0;
-- name: delivery_replay
UPDATE webhook_deliveries SET state = 0, tries = 0, since_us = $2, due_us = $2, ended_us = 0
WHERE id = $1 AND state + 0 = 2;
-- name: delivery_page
SELECT {delivery}
FROM webhook_deliveries WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3;
-- name: delivery_page_of_state
SELECT {delivery}
FROM webhook_deliveries WHERE account_id = $1 AND state = $4 AND id < $2 ORDER BY id DESC LIMIT $3;
-- name: delivery_of
SELECT {delivery}
FROM webhook_deliveries WHERE prediction = $1 ORDER BY id LIMIT $2;
-- name: delivery_expire
DELETE FROM webhook_deliveries WHERE id IN (
  SELECT id FROM webhook_deliveries WHERE state <> 0 AND state = $1 AND ended_us < $2 LIMIT $3);
-- name: delivery_trim_dead
DELETE FROM webhook_deliveries WHERE id IN (
  SELECT id FROM webhook_deliveries WHERE account_id = $1 AND state = 2
  ORDER BY id DESC LIMIT $3 OFFSET $2);
-- name: webhook_secret_list
SELECT secret, created_us, expires_us FROM webhook_secrets
WHERE account_id = $1 AND (expires_us = 0 OR expires_us > $2)
ORDER BY created_us DESC, secret;
-- name: webhook_secret_retire
UPDATE webhook_secrets SET expires_us = $2 WHERE account_id = $1 AND expires_us = 0;
-- name: webhook_secret_forget
DELETE FROM webhook_secrets WHERE account_id = $1 AND expires_us > 0
  AND (expires_us <= $2
       OR secret NOT IN (SELECT secret FROM webhook_secrets WHERE account_id = $1
                         ORDER BY created_us DESC, secret LIMIT $3));
-- name: webhook_secret_insert
INSERT INTO webhook_secrets (account_id, secret, created_us, expires_us) VALUES ($1, $2, $3, 0);
