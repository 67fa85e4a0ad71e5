-- The weights are of readme, description, owner and name, and the like of a collection; 1 is for the length of the text,
-- of which short ones come first.
-- name: search_models
SELECT m.id,
  CASE
    WHEN m.name IN ($2, $3) OR m.owner || '/' || m.name = $2 THEN 4
    WHEN substr(m.name, 1, length($3)) = $3 THEN 3
    WHEN m.words @@ to_tsquery('vend', vend_unmarked($4)) THEN 2
    WHEN m.words @@ to_tsquery('vend', vend_unmarked($5)) THEN 1
    ELSE 0
  END AS place,
  CAST(ROUND(400 * ts_rank('{0.1, 0.4, 0.4, 1}', m.words, to_tsquery('vend', vend_unmarked($1)), 1)) AS BIGINT) AS score
FROM models m LEFT JOIN model_runs r ON r.model_id = m.id
WHERE m.words @@ to_tsquery('vend', vend_unmarked($1)) AND (m.is_private = 0 OR m.account_id = $6)
ORDER BY place DESC, score DESC, COALESCE(r.n, 0) DESC, m.id LIMIT $7;
-- name: search_collections
SELECT c.id FROM collections c
WHERE c.words @@ to_tsquery('vend', vend_unmarked($1))
ORDER BY c.slug = $2 DESC, ts_rank('{0.1, 0.4, 0.4, 1}', c.words, to_tsquery('vend', vend_unmarked($1)), 1) DESC, c.id
LIMIT $3;
