-- Contents that the inputs of predictions name, for as long as these have not ended: whatever becomes of the
-- file or output that was named, a run, and every further try of it, finds its bytes.
CREATE TABLE prediction_inputs (
  prediction TEXT NOT NULL,
  sha256     TEXT NOT NULL,
  PRIMARY KEY (prediction, sha256)
) WITHOUT ROWID;
CREATE INDEX prediction_inputs_by_content ON prediction_inputs (sha256);

-- Those that wait already; the path of a blob ends in its SHA-256.
INSERT INTO prediction_inputs (prediction, sha256)
SELECT DISTINCT p.id, substr(json_extract(f.value, '$.path'), -64)
FROM predictions AS p, json_each(p.files) AS f
WHERE p.completed_us = 0 AND p.files IS NOT NULL AND json_extract(f.value, '$.path') IS NOT NULL;
