/* Connections that are lost under load: whatever was told to be stored is there once, and nothing
 * is told to have failed. Only on a server: VEND_TEST_POSTGRES. */
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "store/audit.h"
#include "store/predictions.h"
#include "store/store.h"
#include "support/cutting-proxy.h"
#include "support/test-database.h"

#define CALLERS 16
#define LOSSES_VARIABLE "VEND_TEST_LOSSES"
#define FEW_LOSSES 20

typedef struct
{
  char *dir;
  char *url;
  CuttingProxy *proxy;
  VendStore *store;
  guint under_way;
  guint told;
  bool stopping;
} Fixture;

static guint
losses_wanted (void)
{
  const char *text = g_getenv (LOSSES_VARIABLE);
  return text != NULL ? (guint) g_ascii_strtoull (text, NULL, 10) : FEW_LOSSES;
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("vend-losses-XXXXXX", NULL);
  f->url = test_database (f->dir);
  f->proxy = cutting_proxy_new (f->dir, f->url);
  const VendStoreOptions options = { .path = cutting_proxy_url (f->proxy), .readers = 2 };
  g_assert_true (vend_store_open (&options, &f->store, &error));
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  vend_store_free (f->store);
  cutting_proxy_free (f->proxy);
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->url);
  g_free (f->dir);
}

typedef struct
{
  Fixture *f;
  VendPrediction *prediction;
  bool is_first;
} Job;

/* One row that can be there once only, and a sum that takes any number. */
static bool
insert (VendDb *db, void *data, GError **error)
{
  Job *job = data;
  vend_db_count_run (db, 7);
  return vend_store_prediction_insert (db, job->prediction, error)
         && vend_store_prediction_open_of (db, 1, "none", &job->is_first, error);
}

static void start_job (Fixture *f);

static void
told (const GError *error, void *data)
{
  g_autofree Job *job = data;
  Fixture *f = job->f;
  g_assert_no_error (error);
  vend_prediction_free (job->prediction);
  f->told++;
  f->under_way--;
  if (!f->stopping)
    start_job (f);
}

static void
start_job (Fixture *f)
{
  Job *job = g_new0 (Job, 1);
  VendPrediction *p = vend_prediction_new ();
  p->id = vend_id_new ();
  p->account_id = 1;
  p->model_id = 7;
  p->model = g_strdup ("lab/echo");
  p->version = g_strdup ("v");
  p->input = json_object ();
  p->created_us = 1;
  *job = (Job){ .f = f, .prediction = p };
  f->under_way++;
  vend_store_write (f->store, insert, told, job);
}

static void
run_until (Fixture *f, guint told_at_least)
{
  while (f->told < told_at_least)
    g_main_context_iteration (NULL, TRUE);
}

static void
assert_all_once (Fixture *f)
{
  f->stopping = true;
  while (f->under_way > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (test_database_number (f->url, "SELECT COUNT(*) FROM predictions"), ==, f->told);
  g_assert_cmpuint (test_database_number (f->url, "SELECT n FROM model_runs WHERE model_id = 7"),
                    ==, f->told);
}

static void
lose (Fixture *f, void (*cut) (Fixture *))
{
  const guint wanted = losses_wanted ();
  for (guint i = 0; i < CALLERS; i++)
    start_job (f);
  for (guint i = 0; i < wanted; i++)
    {
      run_until (f, f->told + 1 + i % CALLERS);
      cut (f);
      run_until (f, f->told + CALLERS);
    }
  assert_all_once (f);
  g_test_message ("%u losses, %u writes", wanted, f->told);
}

static void
terminate (Fixture *f)
{
  g_assert_cmpuint (test_database_number (f->url,
                                          "SELECT COUNT(pg_terminate_backend (pid)) FROM "
                                          "pg_stat_activity WHERE datname = current_database () "
                                          "AND pid <> pg_backend_pid ()"),
                    >, 0);
}

static void
cut_after_commit (Fixture *f)
{
  cutting_proxy_cut_at_commit (f->proxy);
}

static void
test_terminated (Fixture *f, gconstpointer unused)
{
  lose (f, terminate);
}

static void
test_cut_after_commit (Fixture *f, gconstpointer unused)
{
  lose (f, cut_after_commit);
  g_assert_cmpuint (cutting_proxy_cuts (f->proxy), >=, losses_wanted ());
}

static void
test_readers_begin_again (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (GPtrArray) open = NULL;
      g_auto (VendReader) reader = vend_reader (f->store);
      g_assert_true (vend_store_prediction_open (reader.db, &open, &error));
      terminate (f);
    }
  g_assert_true (vend_store_check (f->store, &error));
}

/* A statement before the transaction must not become a part of it. */
static void
test_statements_outside (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendDb) db = NULL;
  bool row = false;
  g_assert_true (vend_store_audit_open (f->url, &db, &error));
  g_assert_true (vend_store_audit_begin (db, &error));
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_AUDIT_MIGRATION, &error);
  g_assert_true (vend_stmt_step (stmt, &row, &error));
  g_assert_true (vend_store_audit_end (db, &error));
  g_assert_no_error (error);
}

/* Who begins later has the database; what the first one tries to store afterwards is refused. */
static void
test_a_second_server (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendStore) second = NULL;
  const VendStoreOptions options = { .path = f->url, .readers = 1 };
  g_assert_false (vend_store_open (&options, &second, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_BUSY);
  g_clear_error (&error);
  test_database_number (f->url, "UPDATE control_planes SET epoch = epoch + 1 RETURNING 1");
  Job job = { .f = f, .prediction = vend_prediction_new () };
  job.prediction->id = vend_id_new ();
  job.prediction->model = g_strdup ("lab/echo");
  job.prediction->version = g_strdup ("v");
  job.prediction->input = json_object ();
  g_assert_false (vend_store_write_wait (f->store, insert, &job, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_CONFLICT);
  g_assert_true (vend_store_is_taken (f->store));
  g_clear_error (&error);
  g_assert_false (vend_store_accepts (f->store, &error));
  g_assert_cmpuint (test_database_number (f->url, "SELECT COUNT(*) FROM predictions"), ==, 0);
  vend_prediction_free (job.prediction);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (test_database_is_file ())
    return g_test_run ();
#define ADD(name, test) g_test_add ("/losses/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("terminated", test_terminated);
  ADD ("cut-after-commit", test_cut_after_commit);
  ADD ("readers-begin-again", test_readers_begin_again);
  ADD ("statements-outside", test_statements_outside);
  ADD ("a-second-server", test_a_second_server);
  return g_test_run ();
}
