/* Store functions of models' scaling, as set by owners. */
#include "store/scaling.h"

VendScaling
vend_store_scaling_read (VendStmt *stmt, int column)
{
  VendScaling scaling = VEND_SCALING_NONE, stored;
  json_auto_t *object = vend_stmt_get_json (stmt, column);
  /* Checked when stored; a member that is not valid any more counts as unset. */
  json_auto_t *problems = json_array ();
  vend_scaling_read (object, true, &stored, problems);
  vend_scaling_apply (&scaling, &stored);
  return scaling;
}

void
vend_store_scaling_bind (VendStmt *stmt, int i, const VendScaling *scaling)
{
  if (vend_scaling_is_unset (scaling))
    return;
  json_auto_t *object = vend_scaling_to_json (scaling, false);
  vend_stmt_json (stmt, i, object);
}

bool
vend_store_scaling_get (VendDb *db, int64_t model_id, VendScaling *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SCALING_GET, error);
  bool row = false;
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  if (!vend_stmt_step (stmt, &row, error))
    return false;
  *out = row ? vend_store_scaling_read (stmt, 0) : (VendScaling) VEND_SCALING_NONE;
  return true;
}

bool
vend_store_scaling_delete (VendDb *db, int64_t model_id, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SCALING_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_scaling_set (VendDb *db, int64_t model_id, const VendScaling *scaling, GError **error)
{
  if (vend_scaling_is_unset (scaling))
    return vend_store_scaling_delete (db, model_id, error);
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SCALING_SET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_store_scaling_bind (stmt, 2, scaling);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_scaling_all (VendDb *db, GArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SCALING_ALL, error);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (int64_t));
  bool row = stmt != NULL;
  while (row)
    {
      if (!vend_stmt_step (stmt, &row, error))
        return false;
      const int64_t id = row ? vend_stmt_get_int (stmt, 0) : 0;
      if (row)
        g_array_append_val (ids, id);
    }
  if (stmt == NULL)
    return false;
  *out = g_steal_pointer (&ids);
  return true;
}
