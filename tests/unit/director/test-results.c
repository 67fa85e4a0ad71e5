/* When results are journaled. The main context never runs here, so nothing can come from a timer.
 */
#include "director/results.h"
#include "base/fd.h"
#include "runner/journal.h"

typedef struct
{
  char *dir;
  VendResults *results;
} Fixture;

static void
set_up (Fixture *f, const void *unused)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("vend-results-XXXXXX", NULL);
  g_assert_true (vend_results_open (f->dir, &f->results, &error));
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, const void *unused)
{
  vend_results_free (f->results);
  g_assert_true (vend_tree_remove (f->dir, NULL));
  g_free (f->dir);
}

static void
add (Fixture *f, const char *prediction)
{
  g_autofree char *key = vend_journal_key (prediction, 1);
  vend_results_add (f->results, key,
                    json_pack ("{ssss}", "prediction", prediction, "status", "succeeded"));
}

static bool
is_journaled (const Fixture *f, const char *prediction)
{
  g_autofree char *key = vend_journal_key (prediction, 1);
  json_auto_t *entry = NULL;
  g_autoptr (GError) error = NULL;
  return vend_journal_read (f->dir, key, &entry, &error);
}

static void
wait_for (const Fixture *f, const char *prediction)
{
  while (!is_journaled (f, prediction))
    g_thread_yield ();
}

static void
test_alone (Fixture *f, const void *unused)
{
  add (f, "a");
  wait_for (f, "a");
}

static void
test_disconnected (Fixture *f, const void *unused)
{
  vend_results_set_connected (f->results, true);
  add (f, "a");
  add (f, "b");
  vend_results_acknowledge (f->results, "b.1");
  vend_results_set_connected (f->results, false);
  wait_for (f, "a");
  add (f, "c");
  wait_for (f, "c");
  g_assert_false (is_journaled (f, "b"));
}

static void
test_connected (Fixture *f, const void *unused)
{
  add (f, "a");
  vend_results_set_connected (f->results, true);
  add (f, "b");
  wait_for (f, "a");
  g_assert_false (is_journaled (f, "b"));
  g_assert_cmpuint (vend_results_count (f->results), ==, 2);
  vend_results_acknowledge (f->results, "a.1");
  while (is_journaled (f, "a"))
    g_thread_yield ();
}

static void
test_free (Fixture *f, const void *unused)
{
  vend_results_set_connected (f->results, true);
  add (f, "a");
  g_clear_pointer (&f->results, vend_results_free);
  g_assert_true (is_journaled (f, "a"));
}

static void
add_test (const char *path, void (*test) (Fixture *, const void *))
{
  g_test_add (path, Fixture, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/results/alone", test_alone);
  add_test ("/results/disconnected", test_disconnected);
  add_test ("/results/connected", test_connected);
  add_test ("/results/free", test_free);
  return g_test_run ();
}
