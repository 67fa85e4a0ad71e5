-- columns: secret
place, owner_id, name, sealed, size, set_us
-- name: secret_set
INSERT INTO secrets ({secret}) VALUES ({secret.values})
ON CONFLICT (place, owner_id, name) DO UPDATE SET sealed = {secret.sealed}, size = {secret.size}, set_us = {secret.set_us};
-- name: secret_list
SELECT {secret} FROM secrets WHERE place = $1 AND owner_id = $2 ORDER BY name;
-- name: secret_delete
DELETE FROM secrets WHERE place = $1 AND owner_id = $2 AND name = $3;
-- name: secret_all
SELECT {secret} FROM secrets;
