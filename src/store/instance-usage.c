/* Store functions of the time that instances take. */
#include "store/instance-usage.h"
#include "model/usage.h"

bool
vend_store_instance_usage_put (VendDb *db, const VendInstanceUsage *usage, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_INSTANCE_USAGE_PUT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, usage->account_id);
  vend_stmt_int (stmt, 2, usage->began_us);
  vend_stmt_text (stmt, 3, usage->instance);
  vend_stmt_int (stmt, 4, usage->ended_us);
  vend_stmt_int (stmt, 5, usage->model_id);
  vend_stmt_text (stmt, 6, usage->deployment);
  vend_stmt_text (stmt, 7, usage->hardware);
  if (usage->price != VEND_NO_PRICE)
    vend_stmt_int (stmt, 8, usage->price);
  vend_stmt_int (stmt, 9, usage->billed);
  vend_stmt_int (stmt, 10, usage->phase_us[VEND_PHASE_SETUP]);
  vend_stmt_int (stmt, 11, usage->phase_us[VEND_PHASE_IDLE]);
  vend_stmt_int (stmt, 12, usage->phase_us[VEND_PHASE_ACTIVE]);
  return vend_stmt_run (stmt, NULL, error);
}

void *
vend_store_instance_usage_read (VendStmt *stmt)
{
  VendInstanceUsage *usage = g_new0 (VendInstanceUsage, 1);
  usage->instance = vend_stmt_dup_text (stmt, 0);
  usage->account_id = vend_stmt_get_int (stmt, 1);
  usage->model_id = vend_stmt_get_int (stmt, 2);
  usage->deployment = vend_stmt_dup_text (stmt, 3);
  usage->hardware = vend_stmt_dup_text (stmt, 4);
  usage->price = vend_stmt_get_int (stmt, 5);
  usage->billed = vend_stmt_get_int (stmt, 6) != 0;
  usage->began_us = vend_stmt_get_int (stmt, 7);
  usage->ended_us = vend_stmt_get_int (stmt, 8);
  usage->phase_us[VEND_PHASE_SETUP] = vend_stmt_get_int (stmt, 9);
  usage->phase_us[VEND_PHASE_IDLE] = vend_stmt_get_int (stmt, 10);
  usage->phase_us[VEND_PHASE_ACTIVE] = vend_stmt_get_int (stmt, 11);
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
