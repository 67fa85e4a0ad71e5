/* The journal, and processes known by pid and start time. */
#include "runner/journal.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/process-identity.h"
#include "runner/runner-process.h"
#include <string.h>
#include <sys/stat.h>

static void
count_written (const char *key, const GError *error, void *data)
{
  g_assert_no_error (error);
  (*(guint *) data)++;
}

static void
collect (const char *key, json_t *completed, void *data)
{
  g_ptr_array_add (data, g_strdup_printf ("%s:%s", key, vend_json_string (completed, "status")));
}

static GPtrArray *
scan (const char *dir)
{
  GPtrArray *found = g_ptr_array_new_with_free_func (g_free);
  g_assert_true (vend_journal_scan (dir, collect, found, NULL));
  return found;
}

static void
test_write_scan_remove (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vend-journal-XXXXXX", NULL);
  g_autoptr (GPtrArray) none = scan (dir);
  g_assert_cmpuint (none->len, ==, 0);

  guint written = 0;
  g_autoptr (VendJournal) journal = NULL;
  g_assert_true (
      vend_journal_open (dir, g_main_context_default (), count_written, &written, &journal, NULL));
  json_auto_t *frame = json_pack ("{ssss}", "prediction", "p", "status", "succeeded");
  g_autofree char *key = vend_journal_key ("p", 2);
  g_assert_cmpstr (key, ==, "p.2");
  vend_journal_write (journal, key, frame);
  vend_journal_write (journal, "q.1", frame);
  vend_journal_remove (journal, "q.1");
  while (written < 2)
    g_main_context_iteration (NULL, TRUE);
  json_auto_t *read = NULL;
  g_assert_true (vend_journal_read (dir, key, &read, NULL));
  g_assert_true (json_equal (read, frame));
  g_clear_pointer (&journal, vend_journal_free);

  g_autofree char *damaged = g_build_filename (dir, "journal", "x.1.json", NULL);
  g_assert_true (vend_file_replace (damaged, "{", 1, 0600, NULL));
  g_autoptr (GPtrArray) one = scan (dir);
  g_assert_cmpuint (one->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (one, 0), ==, "p.2:succeeded");
  g_assert_false (g_file_test (damaged, G_FILE_TEST_EXISTS));
  g_autoptr (VendJournal) again = NULL;
  g_assert_true (vend_journal_open (dir, g_main_context_default (), NULL, NULL, &again, NULL));
  vend_journal_remove (again, key);
  vend_journal_remove (again, key);
  g_clear_pointer (&again, vend_journal_free);
  g_autoptr (GError) error = NULL;
  json_auto_t *gone = NULL;
  g_assert_false (vend_journal_read (dir, key, &gone, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
  g_assert_true (vend_tree_remove (dir, NULL));
}

static void
test_pid_file (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vend-pid-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "pid", NULL);
  pid_t pid = 0;
  g_assert_false (vend_pid_file_alive (path, &pid));
  g_assert_true (vend_pid_file_write (path, getpid (), NULL));
  g_assert_true (vend_pid_file_alive (path, &pid));
  g_assert_cmpint (pid, ==, getpid ());
  g_autofree char *other = g_strdup_printf ("%d 1\n", getpid ());
  g_assert_true (vend_file_replace (path, other, strlen (other), 0600, NULL));
  g_assert_false (vend_pid_file_alive (path, &pid));
  g_assert_false (vend_pid_file_signal (path, 0));
  g_assert_true (vend_tree_remove (dir, NULL));
}

/* Stands for a director: writes its pid file and leaves a marked child in another session. */
static const char fake_director[]
    = "#!/bin/sh\n"
      "VEND_INSTANCE_DIR=\"$3\" setsid sleep 1000 &\n"
      "set -- \"$3\" $(cat /proc/$$/stat)\n"
      "eval start=\\${23}\n"
      "echo \"$$ $start\" > \"$1/new\"; mv \"$1/new\" \"$1/director.pid\"\n"
      "exec sleep 1000\n";

static bool
note_spec (const char *id, const char *spec, const GError *error, void *data)
{
  g_ptr_array_add (data, g_strdup_printf ("%s: %s", id, spec != NULL ? spec : error->message));
  return true;
}

static char *
list (VendRunner *runner)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  g_assert_true (runner->list (runner, note_spec, found, NULL));
  g_ptr_array_add (found, NULL);
  return g_strjoinv ("\n", (char **) found->pdata);
}

static void
note_status (json_t *completed, void *data)
{
  g_ptr_array_add (data, g_strdup (vend_json_string (completed, "status")));
}

static void
leave_result (const char *base)
{
  g_autofree char *path = g_build_filename (base, "instances", "i", "journal", "p.1.json", NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  static const char text[] = "{\"prediction\": \"p\", \"status\": \"succeeded\"}";
  g_assert_true (vend_dir_ensure (folder, NULL));
  g_assert_true (vend_file_replace (path, text, strlen (text), 0600, NULL));
}

static VendRunner *
runner_new (const char *base, const char *binary)
{
  g_autofree char *dir = g_build_filename (base, "instances", NULL);
  return vend_runner_process_new (dir, binary);
}

static guint
count_processes (VendRunner *runner)
{
  g_autoptr (GHashTable) usage = runner->usage (runner);
  const VendRunnerUsage *used = g_hash_table_lookup (usage, "i");
  return used != NULL ? used->processes : 0;
}

static void
test_runner_process (void)
{
  g_autofree char *base = g_dir_make_tmp ("vend-runner-XXXXXX", NULL);
  g_autofree char *binary = g_build_filename (base, "vend", NULL);
  g_assert_true (vend_file_replace (binary, fake_director, strlen (fake_director), 0700, NULL));
  g_assert_cmpint (chmod (binary, 0700), ==, 0);
  g_autoptr (VendRunner) runner = runner_new (base, binary);
  json_auto_t *spec = json_pack ("{s:s, s:{s:s}}", "instance", "i", "secrets", "NAME", "hidden");
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autofree char *before = list (runner);
  g_assert_cmpstr (before, ==, "");
  g_assert_false (runner->is_alive (runner, "i"));
  g_assert_true (runner->start (runner, "i", spec, &error));
  g_assert_no_error (error);
  /* From its start on: it may not have written down who it is yet. */
  g_assert_true (runner->is_alive (runner, "i"));
  g_autofree char *one = list (runner);
  g_assert_cmpstr (one, ==, "i: {\"instance\":\"i\",\"secrets\":[\"NAME\"]}");

  /* A model's process is found without its director. */
  while (count_processes (runner) < 1)
    g_thread_yield ();
  leave_result (base);
  runner->end (runner, "i");
  while (runner->is_alive (runner, "i"))
    g_thread_yield ();
  while (count_processes (runner) > 0)
    runner->end (runner, "i");
  g_assert_true (runner->read_results (runner, "i", note_status, results, NULL));
  g_assert_cmpuint (results->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (results, 0), ==, "succeeded");
  g_assert_true (runner->remove (runner, "i", NULL));
  g_autofree char *after = list (runner);
  g_assert_cmpstr (after, ==, "");
  g_assert_true (vend_tree_remove (base, NULL));
}

/* The next server finds what is left of it. */
static void
test_runner_start_fails (void)
{
  g_autofree char *base = g_dir_make_tmp ("vend-runner-XXXXXX", NULL);
  g_autoptr (VendRunner) runner = runner_new (base, "/no/such/vend");
  json_auto_t *spec = json_pack ("{ss}", "instance", "i");
  g_autoptr (GError) error = NULL;
  g_assert_false (runner->start (runner, "i", spec, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_RUNNER);
  g_assert_false (runner->is_alive (runner, "i"));
  g_autofree char *left = list (runner);
  g_assert_cmpstr (left, ==, "i: {\"instance\":\"i\",\"secrets\":[]}");
  runner->end (runner, "i");
  g_assert_true (runner->remove (runner, "i", NULL));
  g_assert_true (vend_tree_remove (base, NULL));
}

static void
test_runner_files (void)
{
  g_autoptr (VendRunner) runner = vend_runner_process_new ("/data/instances", NULL);
  static const char *const bad[] = { "/data/instances",
                                     "/data/instances-2/i/outputs/a",
                                     "/etc/passwd",
                                     "/data/instances/../vend.db",
                                     "data/instances/i/outputs/a",
                                     "" };
  g_autofree char *folder = runner->folder (runner, "i");
  g_assert_cmpstr (folder, ==, "/data/instances/i");
  g_assert_true (runner->has_file (runner, "/data/instances/i/outputs/a"));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (runner->has_file (runner, bad[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/journal/write-scan-remove", test_write_scan_remove);
  g_test_add_func ("/process/pid-file", test_pid_file);
  g_test_add_func ("/process/runner", test_runner_process);
  g_test_add_func ("/process/runner-start-fails", test_runner_start_fails);
  g_test_add_func ("/process/runner-files", test_runner_files);
  return g_test_run ();
}
