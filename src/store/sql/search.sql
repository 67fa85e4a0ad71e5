-- name: search_models
SELECT m.id,
  CASE
    WHEN m.name IN ($2, $3) OR m.owner || '/' || m.name = $2 THEN 4
    WHEN substr(m.name, 1, length($3)) = $3 THEN 3
    WHEN m.id IN (SELECT rowid FROM model_search WHERE model_search MATCH $4) THEN 2
    WHEN m.id IN (SELECT rowid FROM model_search WHERE model_search MATCH $5) THEN 1
    ELSE 0
  END AS place,
  CAST(ROUND(-20 * bm25(model_search, 4.0, 10.0, 4.0, 1.0)) AS INTEGER) AS score
FROM model_search JOIN models m ON m.id = model_search.rowid
LEFT JOIN model_runs r ON r.model_id = m.id
WHERE model_search MATCH $1 AND (m.is_private = 0 OR m.account_id = $6)
ORDER BY place DESC, score DESC, COALESCE(r.n, 0) DESC, m.id LIMIT $7;
-- name: search_collections
SELECT c.id FROM collection_search JOIN collections c ON c.id = collection_search.rowid
WHERE collection_search MATCH $1
ORDER BY c.slug = $2 DESC, bm25(collection_search, 10.0, 10.0, 4.0, 1.0), c.id LIMIT $3;
