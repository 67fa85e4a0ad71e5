/* Store functions of metered time of instances. */
#include "store/instance-usage.h"
#include "model/usage.h"

bool
vend_store_instance_usage_put (VendDb *db, const VendInstanceUsage *usage, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_INSTANCE_USAGE_PUT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, VEND_ARG_NEW_INSTANCE_USAGE_ACCOUNT_ID, usage->account_id);
  vend_stmt_int (stmt, VEND_ARG_NEW_INSTANCE_USAGE_BEGAN_US, usage->began_us);
  vend_stmt_text (stmt, VEND_ARG_NEW_INSTANCE_USAGE_INSTANCE, usage->instance);
  vend_stmt_int (stmt, VEND_ARG_NEW_INSTANCE_USAGE_ENDED_US, usage->ended_us);
  vend_stmt_int (stmt, VEND_ARG_NEW_INSTANCE_USAGE_MODEL_ID, usage->model_id);
  vend_stmt_text (stmt, VEND_ARG_NEW_INSTANCE_USAGE_DEPLOYMENT, usage->deployment);
  vend_stmt_text (stmt, VEND_ARG_NEW_INSTANCE_USAGE_HARDWARE, usage->hardware);
  if (usage->price != VEND_NO_PRICE)
    vend_stmt_int (stmt, VEND_ARG_NEW_INSTANCE_USAGE_PRICE, usage->price);
  vend_stmt_int (stmt, VEND_ARG_NEW_INSTANCE_USAGE_BILLED, usage->billed);
  vend_stmt_int (stmt, VEND_ARG_NEW_INSTANCE_USAGE_SETUP_US, usage->phase_us[VEND_PHASE_SETUP]);
  vend_stmt_int (stmt, VEND_ARG_NEW_INSTANCE_USAGE_IDLE_US, usage->phase_us[VEND_PHASE_IDLE]);
  vend_stmt_int (stmt, VEND_ARG_NEW_INSTANCE_USAGE_ACTIVE_US, usage->phase_us[VEND_PHASE_ACTIVE]);
  return vend_stmt_run (stmt, NULL, error);
}

void *
vend_store_instance_usage_read (VendStmt *stmt)
{
  VendInstanceUsage *usage = g_new0 (VendInstanceUsage, 1);
  usage->instance = vend_stmt_dup_text (stmt, VEND_COL_INSTANCE_USAGE_INSTANCE);
  usage->account_id = vend_stmt_get_int (stmt, VEND_COL_INSTANCE_USAGE_ACCOUNT_ID);
  usage->model_id = vend_stmt_get_int (stmt, VEND_COL_INSTANCE_USAGE_MODEL_ID);
  usage->deployment = vend_stmt_dup_text (stmt, VEND_COL_INSTANCE_USAGE_DEPLOYMENT);
  usage->hardware = vend_stmt_dup_text (stmt, VEND_COL_INSTANCE_USAGE_HARDWARE);
  usage->price = vend_stmt_get_int (stmt, VEND_COL_INSTANCE_USAGE_PRICE);
  usage->billed = vend_stmt_get_int (stmt, VEND_COL_INSTANCE_USAGE_BILLED) != 0;
  usage->began_us = vend_stmt_get_int (stmt, VEND_COL_INSTANCE_USAGE_BEGAN_US);
  usage->ended_us = vend_stmt_get_int (stmt, VEND_COL_INSTANCE_USAGE_ENDED_US);
  usage->phase_us[VEND_PHASE_SETUP] = vend_stmt_get_int (stmt, VEND_COL_INSTANCE_USAGE_SETUP_US);
  usage->phase_us[VEND_PHASE_IDLE] = vend_stmt_get_int (stmt, VEND_COL_INSTANCE_USAGE_IDLE_US);
  usage->phase_us[VEND_PHASE_ACTIVE] = vend_stmt_get_int (stmt, VEND_COL_INSTANCE_USAGE_ACTIVE_US);
  return usage;
}

bool
vend_store_instance_usage_last (VendDb *db, const char *instance, VendInstanceUsage **out,
                                GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_INSTANCE_USAGE_LAST, error);
  bool row = false;
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, instance);
  if (!vend_stmt_step (stmt, &row, error))
    return false;
  *out = row ? vend_store_instance_usage_read (stmt) : NULL;
  return true;
}
