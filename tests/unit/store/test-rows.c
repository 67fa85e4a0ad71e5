/* The rows of a database in another one: all tables, tries that were cut off, and what is in the
 * way. The other one is on the server that VEND_TEST_POSTGRES names. */
#include "base/error.h"
#include "base/fd.h"
#include "store/migrate.h"
#include "store/rows.h"
#include "support/test-database.h"
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS 3
#define MANY 2500 /* more than a transaction takes */
#define ODD "Grüße \xf0\x9f\x8e\x89 'quoted' \"and\" \\t\t\r\n%s ; -- \x01\x7f"

typedef struct
{
  char *dir;
  char *other;
  VendDb *from;
  VendDb *to;
} Fixture;

static VendDb *
open_database (const char *place, bool read_only)
{
  g_autoptr (GError) error = NULL;
  VendDb *db = NULL;
  const bool good = vend_db_open (place, read_only, &db, &error);
  g_assert_no_error (error);
  g_assert_true (good);
  return db;
}

static void
control (VendDb *db, VendDbControl what)
{
  g_autoptr (GError) error = NULL;
  const bool good = vend_db_control (db, what, &error);
  g_assert_no_error (error);
  g_assert_true (good);
}

/* Each column has the number of the row, so a reference to a table finds its row. */
static void
add_row (VendDb *db, const VendSqlTable *table, int64_t number, const char *text)
{
  g_autoptr (GError) error = NULL;
  VendStmt *stmt = vend_db_stmt (db, table->add, &error);
  g_assert_no_error (error);
  for (int i = 0; i < table->n_columns; i++)
    vend_stmt_int (stmt, i + 1, number);
  if (text != NULL)
    vend_stmt_text (stmt, table->n_columns, text);
  g_assert_true (vend_stmt_run (stmt, NULL, &error));
}

static const VendSqlTable *
find_table (const char *name)
{
  gsize n = 0;
  const VendSqlTable *tables = vend_sql_tables (&n);
  for (gsize i = 0; i < n; i++)
    if (strcmp (tables[i].name, name) == 0)
      return &tables[i];
  g_assert_not_reached ();
}

static void
fill (VendDb *db)
{
  gsize n = 0;
  const VendSqlTable *tables = vend_sql_tables (&n);
  g_autofree char *large = g_strnfill (9 << 20, 'x');
  control (db, VEND_DB_BEGIN_WRITE);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;
      /* Triggers have counted in one. */
      VendStmt *stmt = vend_db_stmt (db, tables[i].clear, &error);
      g_assert_true (stmt != NULL && vend_stmt_run (stmt, NULL, &error));
      for (int64_t number = 1; number <= ROWS; number++)
        add_row (db, &tables[i], number, NULL);
    }
  for (int64_t number = ROWS + 1; number <= MANY; number++)
    add_row (db, find_table ("attempts"), number, number % 2 == 0 ? ODD : "");
  add_row (db, find_table ("decisions"), ROWS + 1, large);
  control (db, VEND_DB_COMMIT);
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("vend-rows-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (f->dir, "from.db", NULL);
  f->from = open_database (path, false);
  g_assert_true (vend_migrate (f->from, 1, &error));
  fill (f->from);
  control (f->from, VEND_DB_BEGIN);
  f->other = test_database (f->dir);
  f->to = open_database (f->other, false);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  vend_db_close (f->from);
  vend_db_close (f->to);
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->dir);
  g_free (f->other);
}

static void
copy (Fixture *f, const char *move)
{
  g_autoptr (GError) error = NULL;
  const bool good = vend_rows_prepare (f->to, move, &error)
                    && vend_rows_copy (f->from, f->to, move, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (good);
}

static GPtrArray *
sums_of (VendDb *db)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *sums = NULL;
  const bool good = vend_rows_sum (db, NULL, NULL, &sums, &error);
  g_assert_no_error (error);
  g_assert_true (good);
  return sums;
}

/* As a reader sees it. */
static void
assert_same (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendDb) reader = open_database (f->other, true);
  control (reader, VEND_DB_BEGIN);
  g_autoptr (GPtrArray) one = sums_of (f->from);
  g_autoptr (GPtrArray) other = sums_of (reader);
  const bool good = vend_rows_compare (one, other, &error);
  g_assert_no_error (error);
  g_assert_true (good);
  for (guint i = 0; i < one->len; i++)
    g_assert_cmpuint (((const VendRowsSum *) g_ptr_array_index (one, i))->rows, >=, ROWS);
  control (reader, VEND_DB_COMMIT);
}

static void
test_all_tables (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  bool is_unfinished = false;
  copy (f, "this");
  assert_same (f);
  g_assert_true (vend_rows_is_unfinished (f->to, &is_unfinished, &error) && is_unfinished);
  g_assert_true (vend_rows_finish (f->to, &error));
  g_assert_true (vend_rows_is_unfinished (f->to, &is_unfinished, &error) && !is_unfinished);
}

static void
test_a_difference_is_found (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  copy (f, "this");
  g_assert_true (
      vend_db_exec (f->to, "UPDATE accounts SET username = 'other' WHERE id = 2", &error));
  g_autoptr (GPtrArray) one = sums_of (f->from);
  g_autoptr (GPtrArray) other = sums_of (f->to);
  g_assert_false (vend_rows_compare (one, other, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, "accounts"));
}

/* ---- Cut off, as by a kill: a fork ends after some of its transactions */

static void
end_process (const char *table, uint64_t rows, void *data)
{
  if (--*(int *) data == 0)
    _exit (0);
}

static void
copy_until (const Fixture *f, int left)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (f->dir, "from.db", NULL);
  g_autoptr (VendDb) from = open_database (path, true);
  g_autoptr (VendDb) to = open_database (f->other, false);
  control (from, VEND_DB_BEGIN);
  g_assert_true (vend_rows_prepare (to, "this", &error));
  g_assert_true (vend_rows_copy (from, to, "this", end_process, &left, &error));
}

static void
test_goes_on (Fixture *f, gconstpointer unused)
{
  for (int left = 1; left < 12; left += 2)
    {
      const pid_t pid = fork ();
      int status = 0;
      g_assert_cmpint (pid, >=, 0);
      if (pid == 0)
        {
          copy_until (f, left);
          _exit (1);
        }
      g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
      g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
    }
  copy (f, "this");
  assert_same (f);
}

static void
assert_refused (Fixture *f, const char *move)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_rows_prepare (f->to, move, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
}

static void
test_what_is_in_the_way (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_db_exec (f->to, "CREATE TABLE something (id BIGINT)", &error));
  assert_refused (f, "this");
  g_assert_true (vend_db_exec (f->to, "DROP TABLE something", &error));
  copy (f, "this");
  assert_refused (f, "that");
  g_assert_true (vend_rows_prepare (f->to, "this", &error));
  g_assert_true (vend_rows_finish (f->to, &error));
  assert_refused (f, "this");
}

/* A first start of a server, or a try that ended before its first note, has migrated it. */
static void
test_a_database_without_rows_is_empty (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_migrate (f->to, 1, &error));
  copy (f, "this");
  assert_same (f);
}

static bool
count_content (const char *sha256, void *data, GError **error)
{
  g_ptr_array_add (data, g_strdup (sha256));
  return true;
}

static void
test_contents_come_once (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  g_assert_true (vend_rows_each_content (f->from, count_content, found, &error));
  g_assert_cmpuint (found->len, ==, ROWS);
  for (guint i = 0; i < found->len; i++)
    {
      g_autofree char *number = g_strdup_printf ("%u", i + 1);
      g_assert_cmpstr (g_ptr_array_index (found, i), ==, number);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/rows/all-tables", Fixture, NULL, set_up, test_all_tables, tear_down);
  g_test_add ("/rows/difference", Fixture, NULL, set_up, test_a_difference_is_found, tear_down);
  g_test_add ("/rows/goes-on", Fixture, NULL, set_up, test_goes_on, tear_down);
  g_test_add ("/rows/in-the-way", Fixture, NULL, set_up, test_what_is_in_the_way, tear_down);
  g_test_add ("/rows/migrated", Fixture, NULL, set_up, test_a_database_without_rows_is_empty,
              tear_down);
  g_test_add ("/rows/contents", Fixture, NULL, set_up, test_contents_come_once, tear_down);
  return g_test_run ();
}
