-- columns: new_weight_set
digest, size, files, used_us, created_us
-- name: weight_set_insert
INSERT INTO weight_sets ({new_weight_set}, is_present) VALUES ({new_weight_set.values}, 1)
ON CONFLICT (digest) DO UPDATE SET is_present = 1, used_us = excluded.used_us;
-- name: weight_set_file_insert
INSERT INTO weight_files (digest, sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING;
-- name: weight_set_has
SELECT is_present FROM weight_sets WHERE digest = $1;
-- name: weight_set_hold
INSERT INTO version_weight_sets (model_id, version, name, target, digest, size, source, can_fetch, any_host)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING;
-- name: weight_sets_let_go
DELETE FROM version_weight_sets WHERE model_id = $1 AND version = $2;
-- name: weight_files_forget
DELETE FROM weight_files
WHERE digest NOT IN (SELECT digest FROM version_weight_sets);
-- name: weight_sets_forget
DELETE FROM weight_sets
WHERE digest NOT IN (SELECT digest FROM version_weight_sets);
-- name: weight_set_present
UPDATE weight_sets SET is_present = 1, used_us = $2 WHERE digest = $1;
-- name: weight_set_absent
UPDATE weight_sets SET is_present = 0
WHERE digest = $1 AND is_present <> 0
  AND NOT EXISTS (SELECT 1 FROM version_weight_sets AS v
                  WHERE v.digest = weight_sets.digest AND (v.is_pinned <> 0 OR v.can_fetch = 0));
-- name: weight_set_used
UPDATE weight_sets SET used_us = $2 WHERE digest = $1 AND used_us < $2;
-- name: weight_set_pin
UPDATE version_weight_sets SET is_pinned = $3 WHERE model_id = $1 AND version = $2;
-- name: weight_sets_of_urls
SELECT h.source, s.files
FROM version_weight_sets AS h JOIN weight_sets AS s ON s.digest = h.digest
JOIN models AS m ON m.id = h.model_id
WHERE m.account_id = $1 AND s.is_present <> 0 AND h.source LIKE 'http%';
-- columns: weight_set
s.digest, s.size, s.files, s.is_present, s.used_us,
NOT EXISTS (SELECT 1 FROM version_weight_sets AS c
            WHERE c.digest = s.digest AND c.can_fetch = 0) AS can_fetch,
EXISTS (SELECT 1 FROM version_weight_sets AS p
        WHERE p.digest = s.digest AND p.is_pinned <> 0) AS is_pinned
-- name: weight_sets_all
SELECT {weight_set} FROM weight_sets AS s ORDER BY s.used_us;
-- columns: held_weights
h.model_id, m.owner, m.name AS model, h.version, h.name, h.target, h.is_pinned, s.digest, h.source,
h.can_fetch, h.any_host, s.size, s.files, s.is_present, s.used_us
-- name: weights_held_by_account
SELECT {held_weights}
FROM version_weight_sets AS h JOIN weight_sets AS s ON s.digest = h.digest
JOIN models AS m ON m.id = h.model_id
WHERE m.account_id = $1
  AND (m.owner, m.name, h.version, h.name) > ($2, $3, $4, $5)
ORDER BY m.owner, m.name, h.version, h.name LIMIT $6;
-- name: weights_held_by_version
SELECT {held_weights}
FROM version_weight_sets AS h JOIN weight_sets AS s ON s.digest = h.digest
JOIN models AS m ON m.id = h.model_id
WHERE h.model_id = $1 AND h.version = $2 ORDER BY h.name;
