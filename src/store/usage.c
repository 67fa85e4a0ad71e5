/* Store functions that sum up usage. */
#include "store/usage.h"

static void *
read_usage (VendStmt *stmt)
{
  VendUsage *usage = g_new0 (VendUsage, 1);
  usage->model = vend_stmt_dup_text (stmt, 0);
  usage->day_us = vend_stmt_get_int (stmt, 1);
  usage->hardware = vend_stmt_dup_text (stmt, 2);
  usage->predictions = vend_stmt_get_int (stmt, 3);
  usage->run_us = vend_stmt_get_int (stmt, 4);
  usage->price = vend_stmt_get_int (stmt, 5);
  usage->billed_us = vend_stmt_get_int (stmt, 6);
  return usage;
}

bool
vend_store_usage_sum (VendDb *db, const VendUsageQuery *query, GPtrArray **out, GError **error)
{
  static const VendSql statements[] = {
    [VEND_USAGE_TOTAL] = VEND_SQL_USAGE_TOTAL,
    [VEND_USAGE_BY_MODEL] = VEND_SQL_USAGE_BY_MODEL,
    [VEND_USAGE_BY_DAY] = VEND_SQL_USAGE_BY_DAY,
  };
  VendStmt *stmt = vend_db_stmt (db, statements[query->group], error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, query->account_id);
  vend_stmt_int (stmt, 2, query->from_us);
  vend_stmt_int (stmt, 3, query->to_us);
  vend_stmt_int (stmt, 4, query->limit);
  return vend_stmt_collect (stmt, read_usage, (GDestroyNotify) vend_usage_free, out, error);
}

bool
vend_store_usage_of (VendDb *db, int64_t account_id, int64_t ended_us, const char *prediction,
                     VendUsage **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_USAGE_OF_PREDICTION, error);
  bool row = false;
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_int (stmt, 2, ended_us);
  vend_stmt_text (stmt, 3, prediction);
  if (!vend_stmt_step (stmt, &row, error))
    return false;
  *out = row ? read_usage (stmt) : NULL;
  return true;
}
