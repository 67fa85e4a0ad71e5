-- name: openai_mapping_set
INSERT INTO openai_mappings (model_id, mapping) VALUES ($1, $2)
ON CONFLICT (model_id) DO UPDATE SET mapping = excluded.mapping;
-- name: openai_mapping_get
SELECT mapping FROM openai_mappings WHERE model_id = $1;
-- name: openai_mapping_delete
DELETE FROM openai_mappings WHERE model_id = $1;
-- name: alias_put
INSERT INTO model_aliases (account_id, name, model_id, created_us) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, name) DO UPDATE SET model_id = excluded.model_id;
-- name: alias_get
SELECT model_id FROM model_aliases WHERE account_id = $1 AND name = $2;
-- name: alias_list
SELECT a.name, models.owner, models.name
FROM model_aliases a JOIN models ON models.id = a.model_id
WHERE a.account_id = $1 ORDER BY a.name LIMIT $2;
-- name: alias_count
SELECT COUNT(*) FROM model_aliases WHERE account_id = $1;
-- name: alias_delete
DELETE FROM model_aliases WHERE account_id = $1 AND name = $2;
-- name: alias_delete_of_model
DELETE FROM model_aliases WHERE model_id = $1;
