/* Processes that are known by their mark or their arguments, with real ones. */
#include "base/fd.h"
#include "runner/process-identity.h"
#include "runner/process-usage.h"
#include "runner/runner-process.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

typedef struct
{
  char *base;
  GArray *pids; /* of pid_t */
} Family;

static void
family_clear (Family *family)
{
  for (guint i = 0; i < family->pids->len; i++)
    {
      const pid_t pid = g_array_index (family->pids, pid_t, i);
      kill (pid, SIGKILL);
      g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
    }
  g_array_unref (family->pids);
  g_assert_true (vend_tree_remove (family->base, NULL));
  g_free (family->base);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Family, family_clear)

static Family
family_new (void)
{
  return (Family){ g_dir_make_tmp ("vend-processes-XXXXXX", NULL),
                   g_array_new (FALSE, FALSE, sizeof (pid_t)) };
}

static pid_t
spawn (Family *family, const char *const *argv, const char *const *environment)
{
  GPid pid = 0;
  g_autoptr (GError) error = NULL;
  g_spawn_async (family->base, (char **) argv, (char **) environment,
                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_FILE_AND_ARGV_ZERO | G_SPAWN_SEARCH_PATH, NULL,
                 NULL, &pid, &error);
  g_assert_no_error (error);
  g_array_append_val (family->pids, pid);
  return pid;
}

/* Marked with the directory `name` in the family's folder. */
static pid_t
spawn_model (Family *family, const char *name)
{
  static const char *const argv[] = { "sleep", "sleep", "1000", NULL };
  g_autofree char *mark = g_strconcat (VEND_PROCESS_MARK "=", family->base, name, NULL);
  const char *const environment[] = { "A=1", "EMPTY=", mark, "Z=1", NULL };
  return spawn (family, argv, environment);
}

/* A shell with the arguments of a director, whose script has the name of the first one. */
static pid_t
spawn_director (Family *family, const char *name)
{
  static const char script[] = "kill -STOP $$\n";
  static const char *const environment[] = { "A=1", NULL };
  g_autofree char *path = g_build_filename (family->base, "director", NULL);
  g_autofree char *dir = g_strconcat (family->base, name, NULL);
  const char *const argv[] = { "/bin/sh", "vend", "director", "--dir", dir, NULL };
  g_assert_true (vend_file_replace (path, script, strlen (script), 0600, NULL));
  return spawn (family, argv, environment);
}

static void
note (pid_t pid, bool is_director, const char *dir, void *data)
{
  g_autofree char *name = g_path_get_basename (dir);
  g_hash_table_insert (data, GINT_TO_POINTER (pid),
                       g_strconcat (is_director ? "director of " : "model of ", name, NULL));
}

static GHashTable *
notes_new (void)
{
  return g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

static void
check_note (GHashTable *notes, pid_t pid, const char *expected)
{
  g_assert_cmpstr (g_hash_table_lookup (notes, GINT_TO_POINTER (pid)), ==, expected);
}

static void
test_each (void)
{
  g_auto (Family) family = family_new ();
  g_autoptr (GHashTable) all = notes_new ();
  g_autoptr (GHashTable) marked = notes_new ();
  const pid_t model = spawn_model (&family, "/a");
  const pid_t other = spawn_model (&family, "/b");
  const pid_t director = spawn_director (&family, "/a");
  spawn_model (&family, "-elsewhere/a");
  spawn_model (&family, "/");
  spawn_director (&family, "-elsewhere/a");

  vend_process_each (family.base, note, all);
  g_assert_cmpuint (g_hash_table_size (all), ==, 3);
  check_note (all, model, "model of a");
  check_note (all, other, "model of b");
  check_note (all, director, "director of a");

  vend_process_each_marked (family.base, note, marked);
  g_assert_cmpuint (g_hash_table_size (marked), ==, 2);
  check_note (marked, model, "model of a");
  check_note (marked, other, "model of b");
}

static void
test_usage (void)
{
  g_auto (Family) family = family_new ();
  spawn_model (&family, "/a");
  spawn_model (&family, "/a");
  spawn_model (&family, "/b");
  spawn_model (&family, "-elsewhere/c");
  spawn_director (&family, "/d");
  g_autoptr (GHashTable) usage = vend_process_usage (family.base);
  const VendRunnerUsage *a = g_hash_table_lookup (usage, "a");
  const VendRunnerUsage *b = g_hash_table_lookup (usage, "b");
  g_assert_cmpuint (g_hash_table_size (usage), ==, 2);
  g_assert_cmpuint (a->processes, ==, 2);
  g_assert_cmpuint (b->processes, ==, 1);
  g_assert_cmpuint (a->memory, >, 0);
}

static void
test_kill (void)
{
  g_auto (Family) family = family_new ();
  g_autoptr (GHashTable) left = notes_new ();
  g_autofree char *dir = g_strconcat (family.base, "/a", NULL);
  spawn_model (&family, "/a");
  spawn_model (&family, "/a");
  const pid_t longer = spawn_model (&family, "/ab");
  const pid_t director = spawn_director (&family, "/a");
  g_assert_cmpuint (vend_process_kill_marked (dir), ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      siginfo_t end;
      const pid_t pid = g_array_index (family.pids, pid_t, i);
      g_assert_cmpint (waitid (P_PID, (id_t) pid, &end, WEXITED | WNOWAIT), ==, 0);
      g_assert_cmpint (end.si_status, ==, SIGKILL);
    }
  g_assert_cmpuint (vend_process_kill_marked (dir), ==, 0);
  vend_process_each (family.base, note, left);
  g_assert_cmpuint (g_hash_table_size (left), ==, 2);
  check_note (left, longer, "model of ab");
  check_note (left, director, "director of a");
}

/* By its arguments: it has written down nothing yet. */
static void
test_kill_directors (void)
{
  g_auto (Family) family = family_new ();
  g_autoptr (GHashTable) left = notes_new ();
  const pid_t director = spawn_director (&family, "/a");
  const pid_t other = spawn_director (&family, "/ab");
  const pid_t model = spawn_model (&family, "/a");
  g_autoptr (VendRunner) runner = vend_runner_process_new (family.base, NULL);
  siginfo_t end;
  runner->end (runner, "a");
  g_assert_cmpint (waitid (P_PID, (id_t) director, &end, WEXITED | WNOWAIT), ==, 0);
  g_assert_cmpint (end.si_status, ==, SIGKILL);
  g_assert_cmpint (waitid (P_PID, (id_t) model, &end, WEXITED | WNOWAIT), ==, 0);
  vend_process_each (family.base, note, left);
  g_assert_cmpuint (g_hash_table_size (left), ==, 1);
  check_note (left, other, "director of ab");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/processes/each", test_each);
  g_test_add_func ("/processes/usage", test_usage);
  g_test_add_func ("/processes/kill", test_kill);
  g_test_add_func ("/processes/kill-directors", test_kill_directors);
  return g_test_run ();
}
