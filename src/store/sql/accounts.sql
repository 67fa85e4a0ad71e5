-- name: account_insert
INSERT INTO accounts (id, username, name, type, created_us)
VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM accounts), $1, $2, $3, $4)
RETURNING id;
-- name: account_by_id
SELECT id, username, name, type, created_us FROM accounts WHERE id = $1;
-- name: account_by_username
SELECT id, username, name, type, created_us FROM accounts WHERE username = $1;
-- name: account_list
SELECT id, username, name, type, created_us FROM accounts ORDER BY id;
-- name: token_insert
INSERT INTO tokens (id, account_id, name, hash, prefix, scopes, created_us, last_used_us, revoked_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0);
-- name: token_by_hash
SELECT id, account_id, name, hash, prefix, scopes, created_us, last_used_us, revoked_us
FROM tokens WHERE hash = $1;
-- name: token_list
SELECT id, account_id, name, hash, prefix, scopes, created_us, last_used_us, revoked_us
FROM tokens WHERE account_id = $1 ORDER BY created_us DESC, id;
-- name: token_revoke
UPDATE tokens SET revoked_us = $2 WHERE id = $1 AND revoked_us = 0;
-- name: token_used
UPDATE tokens SET last_used_us = $2 WHERE id = $1 AND last_used_us < $2;
