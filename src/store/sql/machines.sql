-- name: machine_insert
INSERT INTO machines (name, hardware, created_us) VALUES ($1, $2, $3)
ON CONFLICT (name) DO NOTHING;
-- name: machine_list
SELECT name, hardware, address, draining, created_us, seen_us FROM machines ORDER BY name;
-- name: machine_seen
UPDATE machines SET hardware = $2, address = $3, seen_us = $4 WHERE name = $1;
-- name: machine_drain
UPDATE machines SET draining = $2 WHERE name = $1;
-- name: machine_delete
DELETE FROM machines WHERE name = $1;
