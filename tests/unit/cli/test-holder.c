/* Marks of server processes. */
#include "cli/commands/serve-holder.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child with a mark of its own. */
static pid_t
start (char **out_mark)
{
  int ends[2];
  char text[256] = { 0 };
  g_assert_cmpint (pipe (ends), ==, 0);
  const pid_t pid = fork ();
  if (pid == 0)
    {
      g_autofree char *mark = vend_holder_mark ();
      const ssize_t n = write (ends[1], mark, strlen (mark));
      close (ends[1]);
      while (n > 0)
        pause ();
      _exit (1);
    }
  close (ends[1]);
  g_assert_cmpint (read (ends[0], text, sizeof text - 1), >, 0);
  close (ends[0]);
  *out_mark = g_strdup (text);
  return pid;
}

static void
test_alive_and_killed (void)
{
  g_autofree char *mark = NULL;
  int status = 0;
  const pid_t pid = start (&mark);
  g_assert_false (vend_holder_is_gone (mark));
  g_assert_cmpint (kill (pid, SIGSTOP), ==, 0);
  g_assert_false (vend_holder_is_gone (mark));
  g_assert_true (vend_holder_kill (mark));
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  g_assert_true (vend_holder_is_gone (mark));
  g_assert_false (vend_holder_kill (mark));
}

/* The same number may be another process by now. */
static void
test_another_start (void)
{
  g_autofree char *mark = NULL;
  const pid_t pid = start (&mark);
  g_autofree char *other = g_strdup_printf ("%.*s 1", (int) (strrchr (mark, ' ') - mark), mark);
  g_assert_true (vend_holder_is_gone (other));
  g_assert_false (vend_holder_kill (other));
  g_assert_true (vend_holder_kill (mark));
  waitpid (pid, NULL, 0);
}

static void
test_other_places (void)
{
  g_autofree char *mine = vend_holder_mark ();
  g_autofree char *other = g_strconcat ("0", mine, NULL);
  const char *const marks[] = { "", "x", other, "a b 1 2", mine };
  for (gsize i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      g_assert_false (vend_holder_is_gone (marks[i]));
      g_assert_false (vend_holder_kill (marks[i]));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/holder/alive-and-killed", test_alive_and_killed);
  g_test_add_func ("/holder/another-start", test_another_start);
  g_test_add_func ("/holder/other-places", test_other_places);
  return g_test_run ();
}
