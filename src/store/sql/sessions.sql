-- columns: session
hash, token, is_link, created_us, expires_us
-- name: session_insert
INSERT INTO sessions ({session}) VALUES ({session.values});
-- name: session_get
SELECT {session} FROM sessions WHERE hash = $1 AND is_link = 0 AND expires_us > $2;
-- name: session_take_link
DELETE FROM sessions WHERE hash = $1 AND is_link = 1 AND expires_us > $2 RETURNING {session};
-- name: session_delete
DELETE FROM sessions WHERE hash = $1;
-- name: session_delete_of_token
DELETE FROM sessions WHERE token = $1;
-- name: session_delete_ended
DELETE FROM sessions WHERE expires_us <= $1;
