-- name: migration_table
CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, applied_us BIGINT NOT NULL);
-- name: migration_last
SELECT MAX(number) FROM migrations;
-- name: migration_applied
SELECT 1 FROM migrations WHERE number = $1;
-- name: migration_insert
INSERT INTO migrations (number, applied_us) VALUES ($1, $2);
