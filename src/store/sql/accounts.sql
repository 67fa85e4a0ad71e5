-- columns: new_account
username, name, type, created_us
-- columns: account
id, {new_account}
-- columns: new_token
id, account_id, name, hash, prefix, scopes, created_us
-- columns: token
{new_token}, last_used_us, revoked_us
-- name: account_insert
INSERT INTO accounts (id, {new_account})
VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM accounts), {new_account.values})
RETURNING id;
-- name: account_by_id
SELECT {account} FROM accounts WHERE id = $1;
-- name: account_by_username
SELECT {account} FROM accounts WHERE username = $1;
-- name: account_list
SELECT {account} FROM accounts ORDER BY id;
-- name: token_insert
INSERT INTO tokens ({token})
VALUES ({new_token.values}, 0, 0);
-- name: token_by_hash
SELECT {token}
FROM tokens WHERE hash = $1;
-- name: token_get
SELECT {token}
FROM tokens WHERE id = $1;
-- name: token_list
SELECT {token}
FROM tokens WHERE account_id = $1 ORDER BY created_us DESC, id;
-- name: token_revoke
UPDATE tokens SET revoked_us = $2 WHERE id = $1 AND revoked_us = 0;
-- name: token_used
UPDATE tokens SET last_used_us = $2 WHERE id = $1 AND last_used_us < $2;
