/* Store functions for the history of requests to models. */
#include "store/history.h"
#include "json/json.h"

/* Most decisions of a model that are searched, and boots that are averaged. */
#define MAX_DECISIONS 2000
#define MAX_BOOTS 20

bool
vend_store_history_read (VendDb *db, const VendHistoryQuery *query, VendHistorySeen seen,
                         void *data, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_HISTORY_ROWS, error);
  bool has_row = false;
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, query->account_id);
  vend_stmt_int (stmt, 2, query->from_us);
  vend_stmt_int (stmt, 3, query->to_us);
  vend_stmt_int (stmt, 4, query->limit);
  for (;;)
    {
      if (!vend_stmt_step (stmt, &has_row, error))
        return false;
      if (!has_row)
        return true;
      const VendHistoryRow row = { .model = vend_stmt_get_text (stmt, 0),
                                   .deployment = vend_stmt_get_text (stmt, 1),
                                   .created_us = vend_stmt_get_int (stmt, 2),
                                   .started_us = vend_stmt_get_int (stmt, 3),
                                   .completed_us = vend_stmt_get_int (stmt, 4) };
      seen (&row, data);
    }
}

bool
vend_store_history_boot (VendDb *db, const char *model, const char *deployment, double *out_seconds,
                         GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_HISTORY_BOOTS, error);
  bool has_row = false;
  double sum = 0;
  guint n = 0;
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, model);
  vend_stmt_text (stmt, 2, deployment != NULL ? deployment : "");
  vend_stmt_int (stmt, 3, MAX_DECISIONS);
  vend_stmt_int (stmt, 4, MAX_BOOTS);
  for (;;)
    {
      if (!vend_stmt_step (stmt, &has_row, error))
        return false;
      if (!has_row)
        break;
      json_auto_t *inputs = vend_stmt_get_json (stmt, 0);
      const double seconds = vend_json_double (inputs, "boot_seconds", 0);
      sum += seconds;
      n += seconds > 0;
    }
  *out_seconds = n > 0 ? sum / n : 0;
  return true;
}
