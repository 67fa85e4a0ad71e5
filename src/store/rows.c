/* The rows of a database in another one. All values are copied as texts: columns are whole numbers
 * or texts, and both kinds of databases take a number from its digits. */
#include "store/rows.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "store/migrate.h"
#include <openssl/evp.h>
#include <string.h>

/* Of one transaction. A row may have tens of megabytes. */
#define BATCH_ROWS 1000
#define BATCH_BYTES ((gsize) 8 << 20)
/* Before a key, so that it differs from none. */
#define KEY_MARK "="
#define NO_VALUE UINT64_MAX

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)

/* ---- What is in the way */

static bool
ask (VendDb *db, VendSql sql, const char *argument, int64_t *out, int64_t *out_second,
     GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, argument);
  if (!vend_stmt_one (stmt, "the database", error))
    return false;
  *out = vend_stmt_get_int (stmt, 0);
  if (out_second != NULL)
    *out_second = vend_stmt_get_int (stmt, 1);
  vend_db_reset (db);
  return true;
}

static bool
refuse_full (GError **error)
{
  return vend_fail (error, VEND_ERROR_INVALID,
                    "the database to move to is not empty, and what is in it is not of this move; "
                    "name an empty one");
}

/* A first start of a server may have ended between its migrations, and a first try between them and
 * its note: such a database has no account. */
static bool
check_is_mine (VendDb *to, const char *move, GError **error)
{
  int64_t moves = 0, others = 0, accounts = 0;
  if (!ask (to, VEND_SQL_ROWS_MOVES, move, &moves, &others, error))
    return false;
  if (moves == 0 && !ask (to, VEND_SQL_ROWS_ACCOUNTS, NULL, &accounts, NULL, error))
    return false;
  return (others == 0 && accounts == 0) || refuse_full (error);
}

static bool
note (VendDb *to, const char *table, const char *move, const char *key, bool is_done,
      GError **error)
{
  VendStmt *stmt = vend_db_stmt (to, VEND_SQL_ROWS_NOTE_PROGRESS, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, table);
  vend_stmt_text (stmt, 2, move);
  vend_stmt_text (stmt, 3, key);
  vend_stmt_int (stmt, 4, is_done);
  return vend_stmt_run (stmt, NULL, error) && vend_db_settle (to, error);
}

bool
vend_rows_prepare (VendDb *to, const char *move, GError **error)
{
  int64_t is_made = 0, tables = 0;
  if (!ask (to, VEND_SQL_ROWS_DATABASE_IS_MADE, NULL, &is_made, NULL, error)
      || !ask (to, VEND_SQL_ROWS_DATABASE_TABLES, NULL, &tables, NULL, error))
    return false;
  if (is_made == 0 && tables > 0)
    return refuse_full (error);
  return vend_migrate (to, vend_now_us (), error) && check_is_mine (to, move, error)
         && note (to, "", move, "", false, error);
}

bool
vend_rows_is_unfinished (VendDb *db, bool *out, GError **error)
{
  int64_t moves = 0, others = 0;
  if (!ask (db, VEND_SQL_ROWS_MOVES, "", &moves, &others, error))
    return false;
  *out = moves > 0;
  return true;
}

bool
vend_rows_finish (VendDb *to, GError **error)
{
  VendStmt *stmt = vend_db_stmt (to, VEND_SQL_ROWS_FORGET_PROGRESS, error);
  return stmt != NULL && vend_stmt_run (stmt, NULL, error) && vend_db_settle (to, error);
}

/* ---- Keys, as texts without blanks that any bytes can be read from */

static const char *
text_of (VendStmt *row, int column, gsize *out_size)
{
  return row->db->ops->get_text (row, column, out_size);
}

static char *
key_of (VendStmt *row, const VendSqlTable *table)
{
  GString *key = g_string_new (KEY_MARK);
  for (int i = 0; i < table->n_keys; i++)
    {
      gsize size = 0;
      const char *text = text_of (row, table->keys[i], &size);
      g_autofree char *escaped = g_uri_escape_string (text != NULL ? text : "", NULL, FALSE);
      g_string_append_printf (key, "%s%s", i > 0 ? " " : "", escaped);
    }
  return g_string_free (key, FALSE);
}

static bool
bind_key (VendStmt *stmt, const VendSqlTable *table, const char *key, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (key + strlen (KEY_MARK), " ", -1);
  if ((int) g_strv_length (parts) != table->n_keys)
    return vend_fail (error, VEND_ERROR_STORAGE, "the progress of table %s is damaged",
                      table->name);
  for (int i = 0; i < table->n_keys; i++)
    {
      g_autofree char *text = g_uri_unescape_string (parts[i], NULL);
      vend_stmt_text (stmt, i + 1, text);
    }
  return true;
}

/* ---- One table */

typedef struct
{
  VendDb *to;
  const char *move;
  const VendSqlTable *table;
  VendRowsProgress progress;
  void *data;
  guint rows; /* of the open transaction */
  gsize bytes;
  uint64_t all;
} Copy;

static bool
begin_batch (Copy *copy, GError **error)
{
  copy->rows = 0;
  copy->bytes = 0;
  return vend_db_control (copy->to, VEND_DB_BEGIN_WRITE, error);
}

static bool
end_batch (Copy *copy, const char *key, bool is_done, GError **error)
{
  if (!note (copy->to, copy->table->name, copy->move, key, is_done, error)
      || !vend_db_control (copy->to, VEND_DB_COMMIT, error))
    return false;
  if (copy->progress != NULL)
    copy->progress (copy->table->name, copy->all, copy->data);
  return true;
}

static bool
add_row (Copy *copy, VendStmt *row, GError **error)
{
  VendStmt *add = vend_db_stmt (copy->to, copy->table->add, error);
  if (add == NULL)
    return false;
  for (int i = 0; i < copy->table->n_columns; i++)
    {
      gsize size = 0;
      const char *text = text_of (row, i, &size);
      if (text == NULL)
        continue;
      /* A database on a server has no such texts. */
      if (memchr (text, '\0', size) != NULL)
        return vend_fail (error, VEND_ERROR_STORAGE, "a text has a byte 0, and cannot be moved");
      add->db->ops->bind_text (add, i + 1, text, (gssize) size);
      copy->bytes += size;
    }
  copy->rows++;
  copy->all++;
  return vend_stmt_run (add, NULL, error);
}

static bool
clear (Copy *copy, GError **error)
{
  VendStmt *stmt = vend_db_stmt (copy->to, copy->table->clear, error);
  return stmt != NULL && vend_stmt_run (stmt, NULL, error);
}

static bool
copy_rows (Copy *copy, VendStmt *rows, GError **error)
{
  g_autofree char *key = g_strdup ("");
  for (;;)
    {
      bool is_row = false;
      if (!vend_stmt_step (rows, &is_row, error))
        return false;
      if (!is_row)
        return end_batch (copy, key, true, error);
      g_free (key);
      key = key_of (rows, copy->table);
      if (!add_row (copy, rows, error))
        {
          g_prefix_error (error, "row %s: ", key + strlen (KEY_MARK));
          return false;
        }
      if ((copy->rows >= BATCH_ROWS || copy->bytes >= BATCH_BYTES)
          && (!end_batch (copy, key, false, error) || !begin_batch (copy, error)))
        return false;
    }
}

static bool
find_progress (const Copy *copy, char **out_key, bool *out_done, GError **error)
{
  bool is_row = false;
  VendStmt *stmt = vend_db_stmt (copy->to, VEND_SQL_ROWS_PROGRESS, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, copy->table->name);
  if (!vend_stmt_step (stmt, &is_row, error))
    return false;
  *out_key = is_row ? vend_stmt_dup_text (stmt, 0) : NULL;
  *out_done = is_row && vend_stmt_get_int (stmt, 1) != 0;
  vend_db_reset (copy->to);
  return true;
}

static bool
copy_table (VendDb *from, Copy *copy, GError **error)
{
  g_autofree char *key = NULL;
  bool is_done = false;
  if (!find_progress (copy, &key, &is_done, error))
    return false;
  if (is_done)
    return true;
  VendStmt *rows = vend_db_stmt (from, key != NULL ? copy->table->after : copy->table->all, error);
  if (rows == NULL || (key != NULL && !bind_key (rows, copy->table, key, error)))
    return false;
  return begin_batch (copy, error) && (key != NULL || clear (copy, error))
         && copy_rows (copy, rows, error);
}

bool
vend_rows_copy (VendDb *from, VendDb *to, const char *move, VendRowsProgress progress, void *data,
                GError **error)
{
  gsize n = 0;
  const VendSqlTable *tables = vend_sql_tables (&n);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GError) ignored = NULL;
      Copy copy = { to, move, &tables[i], progress, data, 0, 0, 0 };
      if (copy_table (from, &copy, error))
        continue;
      g_prefix_error (error, "table %s: ", tables[i].name);
      vend_db_reset (to);
      (void) !vend_db_control (to, VEND_DB_ROLL_BACK, &ignored);
      return false;
    }
  return true;
}

/* ---- Sums */

static void
sum_free (void *data)
{
  VendRowsSum *sum = data;
  g_free (sum->sha256);
  g_free (sum);
}

static void
add_to_sum (EVP_MD_CTX *hash, VendStmt *row, int column)
{
  gsize length = 0;
  const char *text = text_of (row, column, &length);
  const uint64_t size = GUINT64_TO_LE (text != NULL ? (uint64_t) length : NO_VALUE);
  EVP_DigestUpdate (hash, &size, sizeof size);
  if (text != NULL)
    EVP_DigestUpdate (hash, text, length);
}

static bool
sum_table (VendDb *db, const VendSqlTable *table, VendRowsSum *sum, GError **error)
{
  guint8 bytes[EVP_MAX_MD_SIZE];
  guint n = 0;
  g_autoptr (EVP_MD_CTX) hash = EVP_MD_CTX_new ();
  VendStmt *rows = vend_db_stmt (db, table->all, error);
  EVP_DigestInit_ex (hash, EVP_sha256 (), NULL);
  for (bool is_row = rows != NULL; is_row;)
    {
      if (!vend_stmt_step (rows, &is_row, error))
        return false;
      for (int i = 0; is_row && i < table->n_columns; i++)
        add_to_sum (hash, rows, i);
      sum->rows += is_row;
    }
  EVP_DigestFinal_ex (hash, bytes, &n);
  sum->sha256 = vend_hex (bytes, n);
  return rows != NULL;
}

bool
vend_rows_sum (VendDb *db, VendRowsProgress progress, void *data, GPtrArray **out, GError **error)
{
  gsize n = 0;
  const VendSqlTable *tables = vend_sql_tables (&n);
  g_autoptr (GPtrArray) sums = g_ptr_array_new_with_free_func (sum_free);
  for (gsize i = 0; i < n; i++)
    {
      VendRowsSum *sum = g_new0 (VendRowsSum, 1);
      sum->table = tables[i].name;
      g_ptr_array_add (sums, sum);
      if (!sum_table (db, &tables[i], sum, error))
        return false;
      if (progress != NULL)
        progress (sum->table, sum->rows, data);
    }
  *out = g_steal_pointer (&sums);
  return true;
}

bool
vend_rows_compare (const GPtrArray *from, const GPtrArray *to, GError **error)
{
  for (guint i = 0; i < from->len; i++)
    {
      const VendRowsSum *one = g_ptr_array_index (from, i);
      const VendRowsSum *other = g_ptr_array_index (to, i);
      if (one->rows != other->rows || strcmp (one->sha256, other->sha256) != 0)
        return vend_fail (error, VEND_ERROR_STORAGE,
                          "table %s differs: %" G_GUINT64_FORMAT " rows with the sum %s, and "
                          "%" G_GUINT64_FORMAT " with %s",
                          one->table, one->rows, one->sha256, other->rows, other->sha256);
    }
  return true;
}

/* ---- Contents */

bool
vend_rows_each_content (VendDb *db, VendRowsContent visit, void *data, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_ROWS_CONTENTS, error);
  if (stmt == NULL)
    return false;
  for (;;)
    {
      bool is_row = false;
      if (!vend_stmt_step (stmt, &is_row, error))
        return false;
      if (!is_row)
        return true;
      if (!visit (vend_stmt_get_text (stmt, 0), data, error))
        {
          vend_db_reset (db);
          return false;
        }
    }
}
