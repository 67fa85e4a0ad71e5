/* The narrow waist between store functions and a database. */
#include "store/db.h"
#include "base/error.h"

void
vend_db_close (VendDb *db)
{
  if (db != NULL)
    db->ops->close (db);
}

bool
vend_db_exec (VendDb *db, const char *sql, GError **error)
{
  return db->ops->exec (db, sql, error);
}

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
