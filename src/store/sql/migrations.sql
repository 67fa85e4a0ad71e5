-- name: migration_table
CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, applied_us BIGINT NOT NULL);
-- name: migration_last
SELECT MAX(number) FROM migrations;
-- name: migration_insert
INSERT INTO migrations (number, applied_us) VALUES ($1, $2);
