-- columns: deployment
id, account_id, owner, name, created_us
-- columns: release
number, model_id, model, version, hardware, min_instances, max_instances, scaling, created_us, token
-- name: deployment_insert
INSERT INTO deployments (id, account_id, owner, name, current_number, serving_number, created_us)
VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM deployments), $1, $2, $3, 1, 1, $4)
RETURNING id;
-- name: release_insert
INSERT INTO releases ({release}, deployment_id) VALUES ({release.values}, {release.end});
-- name: deployment_by_name
SELECT {deployment:d}, {release:c}, {release:s}
FROM deployments d
JOIN releases c ON c.deployment_id = d.id AND c.number = d.current_number
JOIN releases s ON s.deployment_id = d.id AND s.number = d.serving_number
WHERE d.owner = $1 AND d.name = $2;
-- name: deployment_page
SELECT {deployment:d}, {release:c}, {release:s}
FROM deployments d
JOIN releases c ON c.deployment_id = d.id AND c.number = d.current_number
JOIN releases s ON s.deployment_id = d.id AND s.number = d.serving_number
WHERE d.account_id = $1 AND (d.created_us, d.id) < ($2, $3)
ORDER BY d.created_us DESC, d.id DESC LIMIT $4;
-- name: deployment_all
SELECT {deployment:d}, {release:c}, {release:s}
FROM deployments d
JOIN releases c ON c.deployment_id = d.id AND c.number = d.current_number
JOIN releases s ON s.deployment_id = d.id AND s.number = d.serving_number
ORDER BY d.id;
-- name: release_page
SELECT {release:r}, t.name FROM releases r LEFT JOIN tokens t ON t.id = r.token
WHERE r.deployment_id = $1 AND r.number < $2 ORDER BY r.number DESC LIMIT $3;
-- name: deployment_count
SELECT COUNT(*) FROM deployments WHERE account_id = $1;
-- name: deployment_set_current
UPDATE deployments SET current_number = $2 WHERE id = $1;
-- name: deployment_set_serving
UPDATE deployments SET serving_number = $2 WHERE id = $1 AND serving_number < $2;
-- name: deployment_runs
SELECT 1 FROM predictions WHERE deployment = $1 AND completed_us = 0 LIMIT 1;
-- name: deployment_last_run
SELECT COALESCE(MAX(completed_us), 0) FROM predictions WHERE deployment = $1;
-- name: deployment_off_since
SELECT COALESCE(MIN(created_us), 0) FROM releases WHERE deployment_id = $1
  AND number > (SELECT MAX(number) FROM releases WHERE deployment_id = $1 AND min_instances > 0);
-- name: deployment_delete_releases
DELETE FROM releases WHERE deployment_id = $1;
-- name: deployment_delete
DELETE FROM deployments WHERE id = $1;
-- name: deployment_of_version
SELECT 1 FROM releases r JOIN deployments d ON d.id = r.deployment_id
WHERE r.model_id = $1 AND r.version = $2 AND r.number IN (d.current_number, d.serving_number)
LIMIT 1;
-- name: release_of_version
SELECT r.hardware, r.scaling FROM releases r JOIN deployments d ON d.id = r.deployment_id
WHERE d.owner = $1 AND d.name = $2 AND r.model_id = $3 AND r.version = $4
ORDER BY r.number DESC LIMIT 1;
