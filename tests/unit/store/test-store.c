/* The store: migrations, group commit, isolation of failing jobs, the compare-and-set of an end. */
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "store/accounts.h"
#include "store/predictions.h"
#include "store/store.h"
#include "support/test-database.h"
#include <glib/gstdio.h>

typedef struct
{
  char *dir;
  VendStore *store;
} Fixture;

static void
open_store (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = test_database (f->dir);
  bool good
      = vend_store_open (&(VendStoreOptions){ .path = path, .readers = 3 }, &f->store, &error);
  g_assert_no_error (error);
  g_assert_true (good);
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  f->dir = g_dir_make_tmp ("vend-store-XXXXXX", NULL);
  open_store (f);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  vend_store_free (f->store);
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->dir);
}

static bool
insert_account (VendDb *db, void *data, GError **error)
{
  VendAccount account = { .username = data, .name = data, .type = data, .created_us = 1 };
  return vend_store_account_insert (db, &account, error);
}

static void
test_survives_reopen (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendAccount) found = NULL;
  g_assert_true (vend_store_write_wait (f->store, insert_account, (void *) "ada", &error));
  vend_store_free (f->store);
  open_store (f);
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_account_by_username (reader.db, "ada", &found, &error));
  g_assert_cmpint (found->id, ==, 1);
}

static void
test_failed_job_is_alone (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  vend_store_write (f->store, insert_account, NULL, (void *) "one");
  g_assert_true (vend_store_write_wait (f->store, insert_account, (void *) "two", &error));
  g_assert_false (vend_store_write_wait (f->store, insert_account, (void *) "two", &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_true (vend_store_write_wait (f->store, insert_account, (void *) "three", &error));

  g_auto (VendReader) reader = vend_reader (f->store);
  g_autoptr (GPtrArray) accounts = NULL;
  g_assert_true (vend_store_account_list (reader.db, &accounts, &error));
  g_assert_cmpuint (accounts->len, ==, 3);
}

typedef struct
{
  gint is_held;
  gint may_go;
} Hold;

/* Holds the writer until it is let go, so that what is written meanwhile is one group. */
static bool
hold_writer (VendDb *db, void *data, GError **error)
{
  Hold *hold = data;
  g_atomic_int_set (&hold->is_held, true);
  while (!g_atomic_int_get (&hold->may_go))
    g_thread_yield ();
  return true;
}

static VendError lost_by;

static void
expect_lost (const GError *error, void *data)
{
  g_assert_error (error, VEND_ERROR, (int) lost_by);
}

/* Writes "one", "one" again, and `last`, all in one group that does not get onto the disk. */
static void
lose_a_group (Fixture *f, VendStoreJob last, VendError code)
{
  lost_by = code;
  Hold hold = { 0 };
  vend_store_write (f->store, hold_writer, NULL, &hold);
  while (!g_atomic_int_get (&hold.is_held))
    g_thread_yield ();
  vend_store_write (f->store, insert_account, expect_lost, (void *) "one");
  vend_store_write (f->store, insert_account, expect_lost, (void *) "one");
  vend_store_write (f->store, last, expect_lost, NULL);
  vend_store_write (f->store, insert_account, expect_lost, (void *) "two");
  g_atomic_int_set (&hold.may_go, true);
  while (!vend_store_is_idle (f->store))
    g_main_context_iteration (NULL, FALSE);

  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) accounts = NULL;
  {
    g_auto (VendReader) reader = vend_reader (f->store);
    g_assert_true (vend_store_account_list (reader.db, &accounts, &error));
    g_assert_cmpuint (accounts->len, ==, 0);
  }
  g_assert_true (vend_store_write_wait (f->store, insert_account, (void *) "one", &error));
}

static bool
break_commit (VendDb *db, void *data, GError **error)
{
  return vend_db_exec (db,
                       "CREATE TABLE child (parent INTEGER REFERENCES accounts (id)"
                       " DEFERRABLE INITIALLY DEFERRED); INSERT INTO child VALUES (99)",
                       error);
}

/* A second send of a create was refused because of the first one: with that one gone, so is the
 * reason. */
static void
test_a_lost_commit_takes_its_refusals_along (Fixture *f, gconstpointer unused)
{
  lose_a_group (f, break_commit, VEND_ERROR_CONFLICT);
}

/* As SQLite does it by itself when a disk is full in the middle of some statements. */
static bool
undo_all (VendDb *db, void *data, GError **error)
{
  return vend_db_exec (db, "ROLLBACK", error)
         && vend_fail (error, VEND_ERROR_STORAGE, "the disk is full");
}

static void
test_nothing_follows_a_lost_transaction (Fixture *f, gconstpointer unused)
{
  lose_a_group (f, undo_all, VEND_ERROR_STORAGE);
}

static void
count_told (const GError *error, void *data)
{
  g_assert_no_error (error);
  (*(guint *) data)++;
}

/* A reader that did not step its statement to the end must not keep its old snapshot. */
static void
test_readers_see_news (Fixture *f, gconstpointer unused)
{
  static const char *const names[] = { "a1", "a2", "a3", "a4", "a5", "a6" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VendAccount) found = NULL;
      g_assert_true (vend_store_write_wait (f->store, insert_account, (void *) names[i], &error));
      g_auto (VendReader) reader = vend_reader (f->store);
      g_assert_true (vend_store_account_by_username (reader.db, names[i], &found, &error));
    }
}

static bool
no_change (VendDb *db, void *data, GError **error)
{
  return true;
}

static void *
write_many (void *data)
{
  gpointer *args = data;
  for (guint i = 0; i < 500; i++)
    vend_store_write (args[0], no_change, count_told, args[1]);
  return NULL;
}

static void
test_all_are_told_once (Fixture *f, gconstpointer unused)
{
  guint told = 0;
  gpointer args[] = { f->store, &told };
  GThread *threads[4];
  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("write", write_many, args);
  while (told < 2000)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (told, ==, 2000);
  g_assert_cmpuint (vend_store_backlog (f->store), ==, 0);
}

static VendPrediction *
a_prediction (void)
{
  VendPrediction *p = vend_prediction_new ();
  p->id = vend_id_new ();
  p->account_id = 1;
  p->model_id = 1;
  p->model = g_strdup ("lab/echo");
  p->version = g_strdup ("v");
  p->input = json_pack ("{s:s, s:s}", "text", "hi", "key", "s3cret");
  p->secrets = json_pack ("[s]", "key");
  p->created_us = 1000;
  return p;
}

static bool
insert_prediction (VendDb *db, void *data, GError **error)
{
  return vend_store_prediction_insert (db, data, error);
}

typedef struct
{
  VendPrediction *prediction;
  bool won;
} Completion;

static bool
complete_prediction (VendDb *db, void *data, GError **error)
{
  Completion *c = data;
  return vend_store_prediction_complete (db, c->prediction, &c->won, error);
}

static void
test_ends_once (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendPrediction) p = a_prediction ();
  g_assert_true (vend_store_write_wait (f->store, insert_prediction, p, &error));

  p->attempt = 2;
  p->output = json_string ("first");
  p->completed_us = 2000;
  g_assert_true (vend_prediction_set_status (p, VEND_STATUS_SUCCEEDED, &error));
  Completion first = { p, false }, second = { p, false };
  g_assert_true (vend_store_write_wait (f->store, complete_prediction, &first, &error));
  g_assert_true (first.won);
  json_string_set (p->output, "second");
  g_assert_true (vend_store_write_wait (f->store, complete_prediction, &second, &error));
  g_assert_false (second.won);

  g_auto (VendReader) reader = vend_reader (f->store);
  g_autoptr (VendPrediction) stored = NULL;
  g_assert_true (vend_store_prediction_get (reader.db, p->id, &stored, &error));
  g_assert_cmpstr (json_string_value (stored->output), ==, "first");
  g_assert_cmpstr (vend_json_string (stored->input, "key"), ==, "**********");
  g_assert_cmpstr (vend_json_string (stored->input, "text"), ==, "hi");
}

static void
test_older_attempt_loses (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendPrediction) p = a_prediction ();
  g_assert_true (vend_store_write_wait (f->store, insert_prediction, p, &error));
  p->attempt = 3;
  p->completed_us = 0;
  {
    g_auto (VendReader) reader = vend_reader (f->store);
    g_autoptr (GPtrArray) open = NULL;
    g_assert_true (vend_store_prediction_open (reader.db, &open, &error));
    g_assert_cmpuint (open->len, ==, 1);
  }
  p->completed_us = 5;
  p->status = VEND_STATUS_FAILED;
  Completion newer = { p, false };
  g_assert_true (vend_store_write_wait (f->store, complete_prediction, &newer, &error));
  p->attempt = 1;
  Completion older = { p, false };
  g_assert_true (vend_store_write_wait (f->store, complete_prediction, &older, &error));
  g_assert_true (newer.won);
  g_assert_false (older.won);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add ("/store/" #name, Fixture, NULL, set_up, test_##name, tear_down)
  ADD (survives_reopen);
  ADD (failed_job_is_alone);
  ADD (a_lost_commit_takes_its_refusals_along);
  ADD (nothing_follows_a_lost_transaction);
  ADD (readers_see_news);
  ADD (all_are_told_once);
  ADD (ends_once);
  ADD (older_attempt_loses);
  return g_test_run ();
}
