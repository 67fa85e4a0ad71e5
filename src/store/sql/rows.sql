-- name: rows_database_is_made
SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'migrations';
-- name: rows_database_tables
SELECT COUNT(*) FROM sqlite_master WHERE type = 'table';
-- name: rows_accounts
SELECT COUNT(*) FROM accounts;
-- name: rows_moves
SELECT COUNT(*), COALESCE(SUM(CASE WHEN move <> $1 THEN 1 ELSE 0 END), 0) FROM moved_tables;
-- name: rows_progress
SELECT last_key, is_done FROM moved_tables WHERE name = $1;
-- name: rows_note_progress
INSERT INTO moved_tables (name, move, last_key, is_done) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET last_key = excluded.last_key, is_done = excluded.is_done;
-- name: rows_forget_progress
DELETE FROM moved_tables;
-- name: rows_contents
SELECT sha256 FROM files
UNION SELECT sha256 FROM outputs
UNION SELECT sha256 FROM covers
UNION SELECT sha256 FROM prediction_inputs
UNION SELECT sha256 FROM version_weights
UNION SELECT f.sha256 FROM weight_files AS f JOIN weight_sets AS s ON s.digest = f.digest WHERE s.is_present <> 0
UNION SELECT sha256 FROM registry_blobs
UNION SELECT sha256 FROM registry_manifests
ORDER BY sha256;
