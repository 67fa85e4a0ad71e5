-- name: audit_migration
SELECT COALESCE(MAX(number), 0) FROM migrations;
-- name: audit_ends
SELECT id, CASE WHEN completed_us > 0 THEN 'it has the time of an end, and no status of one'
                ELSE 'it has the status of an end, and no time of one' END
FROM predictions WHERE (completed_us > 0) <> (status >= 2) LIMIT $1;
-- name: audit_times
SELECT id, 'created ' || created_us || ', started ' || started_us || ', completed ' || completed_us
FROM predictions
WHERE (started_us > 0 AND started_us < created_us)
   OR (completed_us > 0 AND completed_us < CASE WHEN started_us > 0 THEN started_us
                                                ELSE created_us END)
LIMIT $1;
-- name: audit_results
SELECT id, CASE WHEN status = 2 THEN 'it succeeded, but never began or has an error'
                WHEN status = 3 THEN 'it failed without an error'
                ELSE 'it was aborted after it began' END
FROM predictions
WHERE (status = 2 AND (started_us = 0 OR attempt = 0 OR error IS NOT NULL))
   OR (status = 3 AND error IS NULL)
   OR (status = 5 AND started_us > 0)
LIMIT $1;
-- name: audit_attempts
SELECT a.prediction, 'attempt ' || a.attempt
       || CASE WHEN p.id IS NULL THEN ' is of a prediction that does not exist'
               WHEN a.attempt > p.attempt THEN ' is later than the prediction''s own'
               ELSE ' is both lost and accepted' END
FROM attempts AS a LEFT JOIN predictions AS p ON p.id = a.prediction
WHERE p.id IS NULL OR a.attempt > p.attempt OR (a.attempt = p.attempt AND p.status = 2)
LIMIT $1;
-- name: audit_overlaps
SELECT a.prediction, 'attempt ' || b.attempt || ' began ' || (a.ended_us - b.started_us)
       || ' us before attempt ' || a.attempt || ' was over'
FROM attempts AS a JOIN attempts AS b ON b.prediction = a.prediction AND b.attempt > a.attempt
WHERE a.started_us > 0 AND b.started_us > 0 AND b.started_us < a.ended_us
UNION ALL
SELECT a.prediction, 'attempt ' || p.attempt || ' began ' || (a.ended_us - p.started_us)
       || ' us before attempt ' || a.attempt || ' was over'
FROM attempts AS a JOIN predictions AS p ON p.id = a.prediction AND p.attempt > a.attempt
WHERE a.started_us > 0 AND p.started_us > 0 AND p.started_us < a.ended_us
LIMIT $1;
-- name: audit_usage
SELECT p.id, 'attempt ' || p.attempt || ' was accepted and has no usage'
FROM predictions AS p
WHERE p.completed_us > 0 AND p.started_us > 0 AND p.kind <> 2
  AND NOT EXISTS (SELECT 1 FROM attempts AS a
                  WHERE a.prediction = p.id AND a.attempt = p.attempt)
  AND NOT EXISTS (SELECT 1 FROM usage AS u WHERE u.account_id = p.account_id
                    AND u.ended_us = p.completed_us AND u.prediction = p.id)
UNION ALL
SELECT u.prediction, CASE
    WHEN p.id IS NULL THEN 'usage of a prediction that does not exist'
    WHEN p.completed_us <> u.ended_us THEN 'usage of an end that the prediction does not have'
    WHEN p.attempt <> u.attempt OR p.started_us = 0
      OR EXISTS (SELECT 1 FROM attempts AS a WHERE a.prediction = p.id AND a.attempt = p.attempt)
      THEN 'usage of attempt ' || u.attempt || ', which was not accepted'
    WHEN p.account_id <> u.account_id OR p.model_id <> u.model_id
      THEN 'usage of another account or model'
    ELSE 'usage of ' || u.run_us || ' us for a run of ' || (p.completed_us - p.started_us)
         || ' us' END
FROM usage AS u LEFT JOIN predictions AS p ON p.id = u.prediction
WHERE p.id IS NULL OR p.completed_us <> u.ended_us OR p.attempt <> u.attempt
   OR p.started_us = 0 OR p.account_id <> u.account_id OR p.model_id <> u.model_id
   OR u.run_us <> p.completed_us - p.started_us
   OR EXISTS (SELECT 1 FROM attempts AS a WHERE a.prediction = p.id AND a.attempt = p.attempt)
LIMIT $1;
-- name: audit_metering
SELECT instance, 'the piece of ' || began_us || ' has ' || (setup_us + idle_us + active_us)
       || ' us of ' || (ended_us - began_us)
FROM instance_usage
WHERE setup_us < 0 OR idle_us < 0 OR active_us < 0 OR ended_us <= began_us
   OR setup_us + idle_us + active_us <> ended_us - began_us
   OR (ended_us - 1) / 3600000000 <> began_us / 3600000000
UNION ALL
SELECT a.instance, 'the piece of ' || b.began_us || ' begins ' || (a.ended_us - b.began_us)
       || ' us before the one of ' || a.began_us || ' ends'
FROM instance_usage AS a
JOIN instance_usage AS b ON b.instance = a.instance AND b.began_us > a.began_us
                        AND b.began_us < a.ended_us
UNION ALL
SELECT a.instance, 'the piece of ' || b.began_us || ' is of another account, hardware or kind'
FROM instance_usage AS a
JOIN instance_usage AS b ON b.instance = a.instance AND b.began_us = a.ended_us
WHERE b.account_id <> a.account_id OR b.hardware <> a.hardware OR b.billed <> a.billed
   OR b.model_id <> a.model_id OR b.deployment IS DISTINCT FROM a.deployment
UNION ALL
SELECT u.prediction, CASE u.billed WHEN 1 THEN 'it and the time of its instance are billed'
                                   ELSE 'neither it nor the time of its instance is billed' END
FROM usage AS u JOIN predictions AS p ON p.id = u.prediction
WHERE EXISTS (SELECT 1 FROM instance_usage AS i WHERE i.instance = p.instance
                AND i.billed = u.billed)
LIMIT $1;
-- name: audit_webhooks
SELECT d.id, 'webhook `' || d.event || '` of ' || d.prediction || CASE
    WHEN p.id IS NULL THEN ', which does not exist'
    WHEN d.event = 'completed' AND p.completed_us = 0 THEN ', which has not ended'
    ELSE ' is there twice' END
FROM webhook_deliveries AS d LEFT JOIN predictions AS p ON p.id = d.prediction
WHERE p.id IS NULL
   OR (d.event = 'completed' AND p.completed_us = 0)
   OR (d.event IN ('start', 'completed')
       AND EXISTS (SELECT 1 FROM webhook_deliveries AS e WHERE e.prediction = d.prediction
                     AND e.event = d.event AND e.id < d.id))
LIMIT $1;
-- name: audit_outputs
SELECT o.token, 'file ' || o.name || ' of prediction ' || o.prediction
       || CASE WHEN p.id IS NULL THEN ', which does not exist'
               ELSE ', whose data are removed' END
FROM outputs AS o LEFT JOIN predictions AS p ON p.id = o.prediction
WHERE (p.id IS NULL OR p.data_removed <> 0)
  AND NOT EXISTS (SELECT 1 FROM examples AS e WHERE e.prediction = o.prediction)
LIMIT $1;
-- name: audit_inputs
SELECT i.prediction, i.sha256 || ' is held for it'
       || CASE WHEN p.id IS NULL THEN ', and it does not exist' ELSE ', and it has ended' END
FROM prediction_inputs AS i LEFT JOIN predictions AS p ON p.id = i.prediction
WHERE p.id IS NULL OR p.completed_us > 0
UNION ALL
SELECT p.id, 'nothing holds its input files'
FROM predictions AS p
WHERE p.completed_us = 0 AND p.files LIKE '%"path":%'
  AND NOT EXISTS (SELECT 1 FROM prediction_inputs AS i WHERE i.prediction = p.id)
LIMIT $1;
-- name: audit_stored
SELECT a.username, COALESCE(s.bytes, 0) || ' bytes are counted, ' || COALESCE(t.bytes, 0) || ' are there'
FROM accounts AS a LEFT JOIN stored_bytes AS s ON s.account_id = a.id
LEFT JOIN (SELECT account_id, SUM(size) AS bytes
           FROM (SELECT account_id, size FROM files
                 UNION ALL
                 SELECT account_id, size FROM covers
                 UNION ALL
                 SELECT p.account_id, o.size
                 FROM outputs AS o JOIN predictions AS p ON p.id = o.prediction
                 UNION ALL
                 SELECT m.account_id, w.size
                 FROM version_weights AS w JOIN models AS m ON m.id = w.model_id
                 UNION ALL
                 SELECT m.account_id, h.size
                 FROM version_weight_sets AS h JOIN models AS m ON m.id = h.model_id
                 UNION ALL
                 SELECT m.account_id, b.size
                 FROM registry_blobs AS b JOIN registry_repositories AS r ON r.id = b.repository
                 JOIN models AS m ON m.id = r.model_id
                 UNION ALL
                 SELECT m.account_id, n.size
                 FROM registry_manifests AS n JOIN registry_repositories AS r ON r.id = n.repository
                 JOIN models AS m ON m.id = r.model_id
                 UNION ALL
                 SELECT m.account_id, u.bytes
                 FROM unpacked_images AS u JOIN models AS m ON m.id = u.model_id) AS f
           GROUP BY account_id) AS t ON t.account_id = a.id
WHERE COALESCE(s.bytes, 0) <> COALESCE(t.bytes, 0)
LIMIT $1;
-- name: audit_shown
SELECT p.id, 'it came with the files of model ' || p.model_id || ', and is no example of it'
FROM predictions AS p
WHERE p.kind = 2
  AND NOT EXISTS (SELECT 1 FROM examples AS e WHERE e.prediction = p.id AND e.model_id = p.model_id)
UNION ALL
SELECT c.token, 'cover of model ' || c.model_id
       || CASE WHEN m.id IS NULL THEN ', which does not exist' ELSE ', which shows another' END
FROM covers AS c LEFT JOIN models AS m ON m.id = c.model_id
WHERE m.id IS NULL OR substr(COALESCE(m.cover_image_url, ''), 1, 12 + length(c.token))
                      <> 'vend-cover:' || c.token || '/'
UNION ALL
SELECT m.owner || '/' || m.name, 'its cover has no file'
FROM models AS m
WHERE m.cover_image_url LIKE 'vend-cover:%'
  AND NOT EXISTS (SELECT 1 FROM covers AS c WHERE c.model_id = m.id)
LIMIT $1;
-- name: audit_contents
SELECT sha256, 'file ' || id, size FROM files
UNION ALL
SELECT sha256, 'output of ' || prediction, size FROM outputs
UNION ALL
SELECT sha256, 'cover of model ' || model_id, size FROM covers
UNION ALL
SELECT sha256, 'input of ' || prediction, -1 FROM prediction_inputs
UNION ALL
SELECT sha256, 'weights of ' || version, size FROM version_weights
UNION ALL
SELECT f.sha256, 'managed weights ' || f.digest, -1
FROM weight_files AS f JOIN weight_sets AS s ON s.digest = f.digest WHERE s.is_present <> 0
UNION ALL
SELECT sha256, 'registry blob ' || digest, size FROM registry_blobs
UNION ALL
SELECT sha256, 'manifest ' || digest, size FROM registry_manifests;
-- name: audit_open
SELECT id, '', attempt FROM predictions WHERE completed_us = 0;
-- name: audit_is_open
SELECT 1 FROM predictions WHERE id = $1 AND completed_us + 0 = 0;
-- name: audit_versions
SELECT DISTINCT COALESCE(source, id), '', 0 FROM versions WHERE image IS NULL;
-- name: audit_registry
SELECT p.manifest, 'its ' || CASE p.is_manifest WHEN 0 THEN 'blob ' ELSE 'manifest ' END || p.digest
       || ' is not there'
FROM registry_parts AS p
WHERE NOT EXISTS (SELECT 1 FROM registry_manifests AS m
                  WHERE m.repository = p.repository AND m.digest = p.manifest)
   OR (p.is_manifest = 0
       AND NOT EXISTS (SELECT 1 FROM registry_blobs AS b
                       WHERE b.repository = p.repository AND b.digest = p.digest))
UNION ALL
SELECT t.name, 'the tag names ' || t.digest || ', which is not there'
FROM registry_tags AS t
WHERE NOT EXISTS (SELECT 1 FROM registry_manifests AS m
                  WHERE m.repository = t.repository AND m.digest = t.digest)
UNION ALL
SELECT v.id, 'its image ' || v.image || ' is not there'
FROM versions AS v
WHERE v.image IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM registry_repositories AS r JOIN registry_manifests AS m ON m.repository = r.id
                  WHERE r.model_id = v.model_id AND r.path = '' AND m.digest = v.image AND m.sha256 = v.id)
LIMIT $1;
-- name: audit_weights
SELECT w.version, 'the weights ' || w.name || ' are held for it, and it does not exist'
FROM version_weights AS w
WHERE NOT EXISTS (SELECT 1 FROM versions AS v WHERE v.model_id = w.model_id AND v.id = w.version)
UNION ALL
SELECT v.id, CASE
    WHEN v.base IS NULL OR v.source IS NULL THEN 'a training made it, and it names no version that was trained'
    WHEN NOT EXISTS (SELECT 1 FROM version_weights AS w WHERE w.model_id = v.model_id AND w.version = v.id)
      THEN 'a training made it, and nothing holds its weights'
    ELSE 'the training ' || v.training || ' made it, and has not succeeded' END
FROM versions AS v
WHERE v.training IS NOT NULL
  AND (v.base IS NULL OR v.source IS NULL
       OR NOT EXISTS (SELECT 1 FROM version_weights AS w WHERE w.model_id = v.model_id AND w.version = v.id)
       OR NOT EXISTS (SELECT 1 FROM predictions AS p WHERE p.id = v.training AND p.kind = 1 AND p.status = 2))
UNION ALL
SELECT id, 'it has another source or base than a pushed version, and no training or import made it'
FROM versions WHERE training IS NULL AND (base IS NOT NULL OR source IS NOT NULL)
  AND manifest NOT LIKE '%"imported":true%'
UNION ALL
SELECT h.version, 'the managed weights ' || h.name || ' are held for it, and it does not exist'
FROM version_weight_sets AS h
WHERE NOT EXISTS (SELECT 1 FROM versions AS v WHERE v.model_id = h.model_id AND v.id = h.version)
UNION ALL
SELECT s.digest, CASE
    WHEN NOT EXISTS (SELECT 1 FROM version_weight_sets AS h WHERE h.digest = s.digest)
      THEN 'no version uses these managed weights'
    WHEN s.is_present = 0 THEN 'these managed weights are gone, and cannot be fetched again'
    ELSE 'no content is held for these managed weights' END
FROM weight_sets AS s
WHERE NOT EXISTS (SELECT 1 FROM version_weight_sets AS h WHERE h.digest = s.digest)
   OR NOT EXISTS (SELECT 1 FROM weight_files AS f WHERE f.digest = s.digest)
   OR (s.is_present = 0
       AND EXISTS (SELECT 1 FROM version_weight_sets AS h WHERE h.digest = s.digest AND h.can_fetch = 0))
LIMIT $1;
-- name: audit_secrets
SELECT CASE WHEN s.place = 0 THEN 'model ' ELSE 'deployment ' END || s.owner_id || ' ' || s.name,
       'it belongs to nothing that exists'
FROM secrets AS s
WHERE NOT EXISTS (SELECT 1 FROM models AS m WHERE s.place = 0 AND m.id = s.owner_id)
  AND NOT EXISTS (SELECT 1 FROM deployments AS d WHERE s.place = 1 AND d.id = s.owner_id)
LIMIT $1;
