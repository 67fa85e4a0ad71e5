/* Store functions of budgets. */
#include "store/budgets.h"
#include "base/error.h"

static bool
remove_budget (VendDb *db, VendBudget *budget, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_BUDGET_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, budget->account_id);
  budget->warned_us = 0;
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_budget_put (VendDb *db, VendBudget *budget, GError **error)
{
  if (budget->soft == VEND_NO_LIMIT && budget->hard == VEND_NO_LIMIT)
    return remove_budget (db, budget, error);
  g_autofree char *soft = vend_limit_text (budget->soft);
  g_autofree char *hard = vend_limit_text (budget->hard);
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_BUDGET_PUT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, budget->account_id);
  vend_stmt_text (stmt, 2, soft);
  vend_stmt_text (stmt, 3, hard);
  vend_stmt_int (stmt, 4, budget->changed_us);
  if (!vend_stmt_one (stmt, "budget", error))
    return false;
  budget->warned_us = vend_stmt_get_int (stmt, 0);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_budget_warned (VendDb *db, int64_t account_id, int64_t month_us, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_BUDGET_WARNED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_int (stmt, 2, month_us);
  return vend_stmt_run (stmt, NULL, error);
}

static VendAmount
read_limit (VendStmt *stmt, int column)
{
  const char *text = vend_stmt_get_text (stmt, column);
  VendAmount limit = VEND_NO_LIMIT;
  if (text == NULL || !vend_amount_parse (text, &limit))
    return VEND_NO_LIMIT;
  return limit;
}

static void *
read_budget (VendStmt *stmt)
{
  VendBudget *budget = g_new0 (VendBudget, 1);
  budget->account_id = vend_stmt_get_int (stmt, 0);
  budget->soft = read_limit (stmt, 1);
  budget->hard = read_limit (stmt, 2);
  budget->warned_us = vend_stmt_get_int (stmt, 3);
  budget->changed_us = vend_stmt_get_int (stmt, 4);
  return budget;
}

bool
vend_store_budget_get (VendDb *db, int64_t account_id, VendBudget *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_BUDGET_GET, error);
  bool row = false;
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  if (!vend_stmt_step (stmt, &row, error))
    return false;
  if (!row)
    {
      *out = (VendBudget){ .account_id = account_id, .soft = VEND_NO_LIMIT, .hard = VEND_NO_LIMIT };
      return true;
    }
  g_autofree VendBudget *budget = read_budget (stmt);
  *out = *budget;
  return true;
}

bool
vend_store_budget_all (VendDb *db, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_BUDGET_ALL, error);
  return stmt != NULL && vend_stmt_collect (stmt, read_budget, g_free, out, error);
}
