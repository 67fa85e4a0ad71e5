/* Store functions of billing statements. */
#include "store/statements.h"
#include "base/error.h"
#include "store/instance-usage.h"

#define MAX_SUMS 100000

static void *
read_line (VendStmt *stmt)
{
  VendStatementLine *line = g_new0 (VendStatementLine, 1);
  line->model_id = vend_stmt_get_int (stmt, 0);
  line->model = vend_stmt_dup_text (stmt, 1);
  line->deployment = vend_stmt_dup_text (stmt, 2);
  line->hardware = vend_stmt_dup_text (stmt, 3);
  line->price = vend_stmt_get_int (stmt, 4);
  line->predictions = vend_stmt_get_int (stmt, 5);
  line->run_us = vend_stmt_get_int (stmt, 6);
  line->phase_us[VEND_PHASE_SETUP] = vend_stmt_get_int (stmt, 7);
  line->phase_us[VEND_PHASE_IDLE] = vend_stmt_get_int (stmt, 8);
  line->phase_us[VEND_PHASE_ACTIVE] = vend_stmt_get_int (stmt, 9);
  line->billed_us = vend_stmt_get_int (stmt, 10);
  return line;
}

static bool
is_too_much (guint n, GError **error)
{
  return n > MAX_SUMS
         && !vend_fail (error, VEND_ERROR_TOO_LARGE,
                        "more than %d different sums; ask for less time", MAX_SUMS);
}

static bool
add_sums (VendDb *db, VendSql sql, int64_t account_id, int64_t from_us, int64_t to_us,
          VendStatement *statement, GError **error)
{
  g_autoptr (GPtrArray) lines = NULL;
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_int (stmt, 2, from_us);
  vend_stmt_int (stmt, 3, to_us);
  vend_stmt_int (stmt, 4, MAX_SUMS + 1);
  if (!vend_stmt_collect (stmt, read_line, (GDestroyNotify) vend_statement_line_free, &lines, error)
      || is_too_much (lines->len, error))
    return false;
  for (guint i = 0; i < lines->len; i++)
    vend_statement_add (statement, g_steal_pointer (&g_ptr_array_index (lines, i)));
  return true;
}

/* Pieces across the begin or end of the time. */
typedef struct
{
  VendInstanceUsage *piece;
  char *model;
} Cut;

static void
cut_free (void *data)
{
  Cut *cut = data;
  if (cut == NULL)
    return;
  vend_instance_usage_free (cut->piece);
  g_free (cut->model);
  g_free (cut);
}

static void *
read_cut (VendStmt *stmt)
{
  Cut *cut = g_new0 (Cut, 1);
  cut->piece = vend_store_instance_usage_read (stmt);
  cut->model = vend_stmt_dup_text (stmt, VEND_COL_INSTANCE_USAGE_N);
  return cut;
}

static VendStatementLine *
part_of (Cut *cut, int64_t from_us, int64_t to_us)
{
  VendStatementLine *line = g_new0 (VendStatementLine, 1);
  line->model_id = cut->piece->model_id;
  line->model = g_steal_pointer (&cut->model);
  line->deployment = g_strdup (cut->piece->deployment);
  line->hardware = g_strdup (cut->piece->hardware);
  line->price = cut->piece->price;
  vend_instance_usage_part (cut->piece, from_us, to_us, line->phase_us);
  for (guint i = 0; i < VEND_PHASE_N; i++)
    line->billed_us += cut->piece->billed ? line->phase_us[i] : 0;
  return line;
}

static bool
find_cuts (VendDb *db, int64_t account_id, int64_t at_us, GPtrArray **out, GError **error)
{
  g_autoptr (GPtrArray) cuts = NULL;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_STATEMENT_CUT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_int (stmt, 2, at_us);
  vend_stmt_int (stmt, 3, MAX_SUMS + 1);
  if (!vend_stmt_collect (stmt, read_cut, cut_free, &cuts, error) || is_too_much (cuts->len, error))
    return false;
  *out = g_steal_pointer (&cuts);
  return true;
}

static bool
add_cuts (VendDb *db, int64_t account_id, int64_t from_us, int64_t to_us, VendStatement *statement,
          GError **error)
{
  g_autoptr (GPtrArray) first = NULL;
  g_autoptr (GPtrArray) last = NULL;
  if (!find_cuts (db, account_id, from_us, &first, error)
      || !find_cuts (db, account_id, to_us, &last, error))
    return false;
  for (guint i = 0; i < first->len; i++)
    vend_statement_add (statement, part_of (g_ptr_array_index (first, i), from_us, to_us));
  for (guint i = 0; i < last->len; i++)
    {
      Cut *cut = g_ptr_array_index (last, i);
      /* Pieces across both were added for the begin already. */
      if (cut->piece->began_us >= from_us)
        vend_statement_add (statement, part_of (cut, from_us, to_us));
    }
  return true;
}

bool
vend_store_statement_add (VendDb *db, int64_t account_id, int64_t from_us, int64_t to_us,
                          VendStatement *statement, GError **error)
{
  return add_sums (db, VEND_SQL_STATEMENT_RUNS, account_id, from_us, to_us, statement, error)
         && add_sums (db, VEND_SQL_STATEMENT_INSTANCES, account_id, from_us, to_us, statement,
                      error)
         && add_cuts (db, account_id, from_us, to_us, statement, error);
}
