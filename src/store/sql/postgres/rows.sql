-- name: rows_database_is_made
SELECT COUNT(to_regclass ('migrations'));
-- name: rows_database_tables
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema ();
