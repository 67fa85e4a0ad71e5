/* The narrow waist between store functions and a database. */
#include "store/db.h"
#include "base/error.h"
#include "store/postgres.h"

bool
vend_db_open (const char *place, bool read_only, VendDb **out, GError **error)
{
  return vend_postgres_is_url (place) ? vend_db_open_postgres (place, read_only, out, error)
                                      : vend_db_open_sqlite (place, read_only, out, error);
}

void
vend_db_close (VendDb *db)
{
  if (db == NULL)
    return;
  g_clear_pointer (&db->runs, g_hash_table_unref);
  g_clear_pointer (&db->found, g_hash_table_unref);
  db->ops->close (db);
}

VendDialect
vend_db_dialect (const VendDb *db)
{
  return db->ops->dialect;
}

bool
vend_db_exec (VendDb *db, const char *sql, GError **error)
{
  return db->ops->exec (db, sql, error);
}

/* ---- Transactions */

void
vend_db_count_run (VendDb *db, int64_t model_id)
{
  if (db->runs == NULL)
    db->runs = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  const guint n = GPOINTER_TO_UINT (g_hash_table_lookup (db->runs, &model_id));
  g_hash_table_insert (db->runs, g_memdup2 (&model_id, sizeof model_id), GUINT_TO_POINTER (n + 1));
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  const int64_t one = *(const int64_t *) a, other = *(const int64_t *) b;
  return (one > other) - (one < other);
}

static bool
write_runs (VendDb *db, GError **error)
{
  if (db->runs == NULL || g_hash_table_size (db->runs) == 0)
    return true;
  g_autoptr (GList) ids = g_list_sort (g_hash_table_get_keys (db->runs), compare_ids);
  for (const GList *at = ids; at != NULL; at = at->next)
    {
      const int64_t *id = at->data;
      VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MODEL_RAN, error);
      if (stmt == NULL)
        return false;
      vend_stmt_int (stmt, 1, *id);
      vend_stmt_int (stmt, 2, GPOINTER_TO_UINT (g_hash_table_lookup (db->runs, id)));
      if (!vend_stmt_run (stmt, NULL, error))
        return false;
    }
  g_hash_table_remove_all (db->runs);
  return true;
}

static void
forget_runs (VendDb *db)
{
  if (db->runs != NULL)
    g_hash_table_remove_all (db->runs);
}

bool
vend_db_was_found (const VendDb *db, const char *word)
{
  return db->found != NULL && g_hash_table_contains (db->found, word);
}

void
vend_db_note_found (VendDb *db, const char *word)
{
  if (db->found == NULL)
    db->found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add (db->found, g_strdup (word));
}

void
vend_db_forget_found (VendDb *db)
{
  if (db->found != NULL)
    g_hash_table_remove_all (db->found);
}

bool
vend_db_control (VendDb *db, VendDbControl what, GError **error)
{
  if ((what == VEND_DB_COMMIT || what == VEND_DB_RELEASE) && !write_runs (db, error))
    return false;
  if (what != VEND_DB_SAVE && what != VEND_DB_RELEASE)
    {
      forget_runs (db);
      vend_db_forget_found (db);
    }
  return db->ops->control (db, what, error);
}

bool
vend_db_take (VendDb *db, const VendLease *lease, char **out_former, GError **error)
{
  return db->ops->writer == NULL || db->ops->writer->take (db, lease, out_former, error);
}

int64_t
vend_db_renew_us (const VendDb *db)
{
  return db->ops->writer == NULL ? 0 : db->ops->writer->renew_us (db);
}

bool
vend_db_release (VendDb *db, GError **error)
{
  return db->ops->writer == NULL || db->ops->writer->release (db, error);
}

bool
vend_db_announce (VendDb *db, const char *address, GError **error)
{
  return db->ops->writer == NULL || db->ops->writer->announce (db, address, error);
}

bool
vend_db_claim (VendDb *db, GError **error)
{
  return db->ops->writer == NULL || db->ops->writer->claim (db, error);
}

bool
vend_db_begin_group (VendDb *db, bool *out_stored, GError **error)
{
  *out_stored = false;
  if (db->ops->writer == NULL)
    return vend_db_control (db, VEND_DB_BEGIN_WRITE, error);
  forget_runs (db);
  vend_db_forget_found (db);
  return db->ops->writer->begin_group (db, out_stored, error);
}

VendDbState
vend_db_state (VendDb *db)
{
  return db->ops->writer == NULL ? VEND_DB_FINE : db->ops->writer->state (db);
}

bool
vend_db_reopen (VendDb *db, GError **error)
{
  return db->ops->writer == NULL || db->ops->writer->reopen (db, error);
}

bool
vend_db_settle (VendDb *db, GError **error)
{
  return db->ops->settle == NULL || db->ops->settle (db, error);
}

static _Thread_local int64_t patience;

void
vend_db_set_patience (int64_t patience_us)
{
  patience = patience_us;
}

int64_t
vend_db_get_patience (void)
{
  return patience;
}

/* ---- Statements */

void
vend_db_reset (VendDb *db)
{
  db->ops->reset (db);
}

bool
vend_db_in_transaction (VendDb *db)
{
  return db->ops->in_transaction (db);
}

VendStmt *
vend_db_stmt (VendDb *db, VendSql sql, GError **error)
{
  db->changes_models |= vend_sql_changes_models (sql);
  return db->ops->prepare (db, sql, error);
}

void
vend_stmt_int (VendStmt *stmt, int i, int64_t value)
{
  stmt->db->ops->bind_int (stmt, i, value);
}

void
vend_stmt_text (VendStmt *stmt, int i, const char *text_or_null)
{
  if (text_or_null != NULL)
    stmt->db->ops->bind_text (stmt, i, text_or_null, -1);
}

void
vend_stmt_json (VendStmt *stmt, int i, const json_t *value_or_null)
{
  if (value_or_null == NULL)
    return;
  g_autofree char *text = vend_json_text (value_or_null);
  stmt->db->ops->bind_text (stmt, i, text, -1);
}

bool
vend_stmt_step (VendStmt *stmt, bool *out_row, GError **error)
{
  return stmt->db->ops->step (stmt, out_row, error);
}

bool
vend_stmt_run (VendStmt *stmt, int64_t *out_changes, GError **error)
{
  bool row = false;
  if (out_changes == NULL && stmt->db->ops->later != NULL)
    return stmt->db->ops->later (stmt, error);
  do
    if (!vend_stmt_step (stmt, &row, error))
      return false;
  while (row);
  if (out_changes != NULL)
    *out_changes = stmt->db->ops->changes (stmt);
  return true;
}

bool
vend_stmt_one (VendStmt *stmt, const char *what, GError **error)
{
  bool row = false;
  if (!vend_stmt_step (stmt, &row, error))
    return false;
  return row || vend_fail (error, VEND_ERROR_NOT_FOUND, "%s does not exist", what);
}

bool
vend_stmt_run_one (VendStmt *stmt, const char *what, GError **error)
{
  int64_t changes = 0;
  if (!vend_stmt_run (stmt, &changes, error))
    return false;
  return changes > 0 || vend_fail (error, VEND_ERROR_NOT_FOUND, "%s does not exist", what);
}

bool
vend_stmt_collect (VendStmt *stmt, VendStmtRead read, GDestroyNotify destroy, GPtrArray **out,
                   GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (destroy);
  for (;;)
    {
      bool row = false;
      if (!vend_stmt_step (stmt, &row, error))
        return false;
      if (!row)
        break;
      g_ptr_array_add (rows, read (stmt));
    }
  *out = g_steal_pointer (&rows);
  return true;
}

bool
vend_stmt_page (VendStmt *stmt, VendStmtRead read, GDestroyNotify destroy, VendPage *page,
                GPtrArray **out, GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (destroy);
  const uint64_t start = stmt->db->read_bytes;
  page->more = false;
  for (;;)
    {
      bool row = false;
      if (!vend_stmt_step (stmt, &row, error))
        return false;
      if (!row)
        break;
      if (rows->len >= page->limit
          || (rows->len > 0 && stmt->db->read_bytes - start >= VEND_PAGE_BYTES))
        {
          page->more = true;
          stmt->db->ops->end (stmt);
          break;
        }
      g_ptr_array_add (rows, read (stmt));
    }
  *out = g_steal_pointer (&rows);
  return true;
}

static const char *
get_text (VendStmt *stmt, int column, gsize *out_size)
{
  const char *text = stmt->db->ops->get_text (stmt, column, out_size);
  stmt->db->read_bytes += *out_size;
  return text;
}

int64_t
vend_stmt_get_int (VendStmt *stmt, int column)
{
  return stmt->db->ops->get_int (stmt, column);
}

const char *
vend_stmt_get_text (VendStmt *stmt, int column)
{
  gsize size = 0;
  return get_text (stmt, column, &size);
}

char *
vend_stmt_dup_text (VendStmt *stmt, int column)
{
  return g_strdup (vend_stmt_get_text (stmt, column));
}

json_t *
vend_stmt_get_json (VendStmt *stmt, int column)
{
  gsize size = 0;
  const char *text = get_text (stmt, column, &size);
  /* The column was written by vend_stmt_json; unparsable text is damage, and shows as null. */
  json_t *value = NULL;
  return text != NULL && vend_json_parse (text, size, &value, NULL) ? value : NULL;
}
