/* Store functions of the scheduler's decisions. */
#include "store/decisions.h"

static void *
read_decision (VendStmt *stmt)
{
  VendDecision *decision = g_new0 (VendDecision, 1);
  decision->id = vend_stmt_get_int (stmt, VEND_COL_DECISION_ID);
  decision->at_us = vend_stmt_get_int (stmt, VEND_COL_DECISION_AT_US);
  if (!vend_decision_kind_parse (vend_stmt_get_text (stmt, VEND_COL_DECISION_KIND),
                                 &decision->kind))
    decision->kind = VEND_DECISION_GONE;
  decision->model = vend_stmt_dup_text (stmt, VEND_COL_DECISION_MODEL);
  decision->version = vend_stmt_dup_text (stmt, VEND_COL_DECISION_VERSION);
  decision->deployment = vend_stmt_dup_text (stmt, VEND_COL_DECISION_DEPLOYMENT);
  decision->instance = vend_stmt_dup_text (stmt, VEND_COL_DECISION_INSTANCE);
  decision->prediction = vend_stmt_dup_text (stmt, VEND_COL_DECISION_PREDICTION);
  decision->sentence = vend_stmt_dup_text (stmt, VEND_COL_DECISION_SENTENCE);
  decision->inputs = vend_stmt_get_json (stmt, VEND_COL_DECISION_INPUTS);
  if (decision->inputs == NULL)
    decision->inputs = json_object ();
  return decision;
}

static bool
collect (VendStmt *stmt, GPtrArray **out, GError **error)
{
  return vend_stmt_collect (stmt, read_decision, (GDestroyNotify) vend_decision_free, out, error);
}

bool
vend_store_decision_insert (VendDb *db, const VendDecision *decision, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DECISION_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, VEND_ARG_NEW_DECISION_AT_US, decision->at_us);
  vend_stmt_text (stmt, VEND_ARG_NEW_DECISION_KIND, vend_decision_kind_name (decision->kind));
  vend_stmt_text (stmt, VEND_ARG_NEW_DECISION_MODEL, decision->model);
  vend_stmt_text (stmt, VEND_ARG_NEW_DECISION_VERSION, decision->version);
  vend_stmt_text (stmt, VEND_ARG_NEW_DECISION_DEPLOYMENT, decision->deployment);
  vend_stmt_text (stmt, VEND_ARG_NEW_DECISION_INSTANCE, decision->instance);
  vend_stmt_text (stmt, VEND_ARG_NEW_DECISION_PREDICTION, decision->prediction);
  vend_stmt_text (stmt, VEND_ARG_NEW_DECISION_SENTENCE, decision->sentence);
  vend_stmt_json (stmt, VEND_ARG_NEW_DECISION_INPUTS, decision->inputs);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_decision_page (VendDb *db, const VendDecisionPage *page, VendPage *rows, GPtrArray **out,
                          GError **error)
{
  VendStmt *stmt = vend_db_stmt (
      db, page->model != NULL ? VEND_SQL_DECISION_MODEL_PAGE : VEND_SQL_DECISION_PAGE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, page->before_us);
  vend_stmt_int (stmt, 2, page->before_id);
  vend_stmt_int (stmt, 3, page->since_us);
  vend_stmt_int (stmt, 4, (int64_t) rows->limit + 1);
  if (page->model != NULL)
    vend_stmt_text (stmt, 5, page->model);
  return vend_stmt_page (stmt, read_decision, (GDestroyNotify) vend_decision_free, rows, out,
                         error);
}

static bool
list_of (VendDb *db, VendSql sql, const char *id, int limit, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  vend_stmt_int (stmt, 2, limit);
  return collect (stmt, out, error);
}

bool
vend_store_decision_of_prediction (VendDb *db, const char *prediction, int limit, GPtrArray **out,
                                   GError **error)
{
  return list_of (db, VEND_SQL_DECISION_OF_PREDICTION, prediction, limit, out, error);
}

bool
vend_store_decision_of_instance (VendDb *db, const char *instance, int limit, GPtrArray **out,
                                 GError **error)
{
  return list_of (db, VEND_SQL_DECISION_OF_INSTANCE, instance, limit, out, error);
}

bool
vend_store_decision_during (VendDb *db, const VendDecisionSpan *span, GPtrArray **out,
                            GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DECISION_DURING, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, span->model);
  vend_stmt_int (stmt, 2, span->from_us);
  vend_stmt_int (stmt, 3, span->to_us);
  vend_stmt_text (stmt, 4, span->version);
  vend_stmt_text (stmt, 5, span->deployment != NULL ? span->deployment : "");
  vend_stmt_int (stmt, 6, span->limit);
  return collect (stmt, out, error);
}

static bool
remove_some (VendDb *db, VendSql sql, int64_t number, int limit, guint *out_removed, GError **error)
{
  int64_t changes = 0;
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, number);
  vend_stmt_int (stmt, 2, limit);
  if (!vend_stmt_run (stmt, &changes, error))
    return false;
  *out_removed = (guint) changes;
  return true;
}

bool
vend_store_decision_expire (VendDb *db, int64_t before_us, int limit, guint *out_removed,
                            GError **error)
{
  return remove_some (db, VEND_SQL_DECISION_EXPIRE, before_us, limit, out_removed, error);
}

bool
vend_store_decision_trim (VendDb *db, int64_t keep, int limit, guint *out_removed, GError **error)
{
  return remove_some (db, VEND_SQL_DECISION_TRIM, keep, limit, out_removed, error);
}
