/* Store functions of the weights of versions, and of versions that trainings make. */
#include "store/weights.h"
#include "store/models.h"
#include "store/weight-sets.h"

bool
vend_store_weights_insert (VendDb *db, int64_t model_id, const char *version,
                           const VendWeights *weights, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHTS_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, VEND_ARG_WEIGHTS_MODEL_ID, model_id);
  vend_stmt_text (stmt, VEND_ARG_WEIGHTS_VERSION, version);
  vend_stmt_text (stmt, VEND_ARG_WEIGHTS_NAME, weights->name);
  vend_stmt_int (stmt, VEND_ARG_WEIGHTS_SIZE, weights->size);
  vend_stmt_text (stmt, VEND_ARG_WEIGHTS_SHA256, weights->sha256);
  return vend_stmt_run (stmt, NULL, error);
}

static void *
read_weights (VendStmt *stmt)
{
  VendWeights *weights = g_new0 (VendWeights, 1);
  weights->name = vend_stmt_dup_text (stmt, VEND_COL_WEIGHTS_NAME);
  weights->size = vend_stmt_get_int (stmt, VEND_COL_WEIGHTS_SIZE);
  weights->sha256 = vend_stmt_dup_text (stmt, VEND_COL_WEIGHTS_SHA256);
  return weights;
}

bool
vend_store_weights_of (VendDb *db, int64_t model_id, const char *version, GPtrArray **out,
                       GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHTS_OF_VERSION, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, version);
  return vend_stmt_collect (stmt, read_weights, (GDestroyNotify) vend_weights_free, out, error);
}

bool
vend_store_weights_delete_of (VendDb *db, int64_t model_id, const char *version, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHTS_DELETE_OF_VERSION, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, version);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_training_destination (VendDb *db, const char *training, int64_t *out, GError **error)
{
  bool row = false;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_TRAINING_DESTINATION, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, training);
  if (!vend_stmt_step (stmt, &row, error))
    return false;
  *out = row ? vend_stmt_get_int (stmt, 0) : 0;
  return true;
}

bool
vend_store_version_put_trained (VendDb *db, const VendVersion *version, const VendWeights *weights,
                                GError **error)
{
  bool is_there = false;
  g_autoptr (GPtrArray) shared = vend_weight_sets_of_launch (version->launch);
  return vend_store_version_has (db, version->model_id, version->id, &is_there, error)
         && (is_there
             || (vend_store_weights_insert (db, version->model_id, version->id, weights, error)
                 && vend_store_weight_sets_share (db, version->model_id, version->id, shared,
                                                  error)))
         && vend_store_version_put (db, version, error);
}
