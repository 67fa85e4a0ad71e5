-- name: collection_insert
INSERT INTO collections (id, slug, name, description, full_description, created_us)
VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM collections), $1, $2, $3, $4, $5)
RETURNING id;
-- name: collection_update
UPDATE collections SET name = $2, description = $3, full_description = $4 WHERE id = $1;
-- name: collection_by_slug
SELECT id, slug, name, description, full_description, created_us FROM collections WHERE slug = $1;
-- name: collection_by_id
SELECT id, slug, name, description, full_description, created_us FROM collections WHERE id = $1;
-- name: collection_page
SELECT id, slug, name, description, full_description, created_us FROM collections
WHERE (created_us, id) < ($1, $2)
ORDER BY created_us DESC, id DESC LIMIT $3;
-- name: collection_delete
DELETE FROM collections WHERE id = $1;
-- name: collection_clear_models
DELETE FROM collection_models WHERE collection_id = $1;
-- name: collection_add_model
INSERT INTO collection_models (collection_id, place, model_id) VALUES ($1, $2, $3);
-- name: collection_models
SELECT model_id FROM collection_models WHERE collection_id = $1 ORDER BY place;
-- name: collection_forget_model
DELETE FROM collection_models WHERE model_id = $1;
