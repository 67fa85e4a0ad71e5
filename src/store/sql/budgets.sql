-- name: budget_put
INSERT INTO budgets (account_id, soft, hard, warned_us, changed_us) VALUES ($1, $2, $3, 0, $4)
ON CONFLICT (account_id) DO UPDATE SET soft = excluded.soft, hard = excluded.hard,
  changed_us = excluded.changed_us
RETURNING warned_us;
-- name: budget_delete
DELETE FROM budgets WHERE account_id = $1;
-- name: budget_warned
UPDATE budgets SET warned_us = $2 WHERE account_id = $1 AND warned_us < $2;
-- name: budget_get
SELECT account_id, soft, hard, warned_us, changed_us FROM budgets WHERE account_id = $1;
-- name: budget_all
SELECT account_id, soft, hard, warned_us, changed_us FROM budgets ORDER BY account_id;
