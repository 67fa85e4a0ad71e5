-- name: scaling_get
SELECT scaling FROM model_scaling WHERE model_id = $1;
-- name: scaling_set
INSERT INTO model_scaling (model_id, scaling) VALUES ($1, $2)
ON CONFLICT (model_id) DO UPDATE SET scaling = $2;
-- name: scaling_delete
DELETE FROM model_scaling WHERE model_id = $1;
-- name: scaling_all
SELECT model_id FROM model_scaling;
