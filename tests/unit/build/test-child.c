/* Children of the builder: lines, limits, ends, and that nothing of a group is left. */
#include "base/error.h"
#include "build/child.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void
collect (const char *line, void *data)
{
  g_string_append_printf (data, "[%s]", line);
}

static bool
run_shell (const char *script, gsize max_output, GString *lines, char **out, GError **error)
{
  const char *const argv[] = { "/bin/sh", "-c", script, NULL };
  const char *const env[] = { "PATH=/usr/bin:/bin", "ONLY=this", NULL };
  const VendChildOptions options = { .argv = argv,
                                     .env = env,
                                     .cwd = "/",
                                     .on_line = collect,
                                     .data = lines,
                                     .max_output = max_output };
  return vend_child_run (&options, "the script", out, error);
}

static void
test_good (void)
{
  static const struct
  {
    const char *script;
    gsize max_output;
    const char *lines;
    const char *output;
  } good[] = {
    { "echo one; echo two", 0, "[one][two]", "" },
    { "printf 'no newline'", 0, "[no newline]", "" },
    { "echo log >&2; echo data", 100, "[log]", "data\n" },
    { "pwd; echo $ONLY", 0, "[/][this]", "" },
    { "printf 'a\\377b\\n'", 0,
      "[a\xef\xbf\xbd"
      "b]",
      "" },
    { "cat", 0, "", "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GString) lines = g_string_new (NULL);
      g_autofree char *output = NULL;
      g_autoptr (GError) error = NULL;
      const bool ran = run_shell (good[i].script, good[i].max_output, lines, &output, &error);
      g_assert_no_error (error);
      g_assert_true (ran);
      g_assert_cmpstr (lines->str, ==, good[i].lines);
      g_assert_cmpstr (output, ==, good[i].output);
    }
}

static void
test_bad (void)
{
  static const struct
  {
    const char *script;
    VendError code;
    const char *says;
  } bad[] = {
    { "exit 3", VEND_ERROR_RUNNER, "the script exited with status 3" },
    { "kill -9 $$", VEND_ERROR_RUNNER, "the script ended by signal 9" },
    { "while :; do echo much; done", VEND_ERROR_TOO_LARGE, "the script: the output is longer" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GString) lines = g_string_new (NULL);
      g_autofree char *output = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (run_shell (bad[i].script, 1000, lines, &output, &error));
      g_assert_error (error, VEND_ERROR, (int) bad[i].code);
      g_assert_nonnull (strstr (error->message, bad[i].says));
      g_assert_null (output);
    }
}

static void
test_long_line (void)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (
      run_shell ("head -c 100000 /dev/zero | tr '\\0' x; echo; echo next", 0, lines, NULL, &error));
  g_assert_cmpuint (lines->len, ==, VEND_CHILD_LINE_MAX + strlen ("[]") + strlen ("[next]"));
  g_assert_true (g_str_has_suffix (lines->str, "[next]"));
}

/* What a child left behind holds the pipe open; the end must not wait for it. */
static void
test_group_is_ended (void)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (run_shell ("sleep 1000 & echo $!", 0, lines, NULL, &error));
  const long pid = strtol (lines->str + 1, NULL, 10);
  g_assert_cmpint (pid, >, 1);
  g_autofree char *status_path = g_strdup_printf ("/proc/%ld/status", pid);
  for (;;)
    {
      g_autofree char *status = NULL;
      if (!g_file_get_contents (status_path, &status, NULL, NULL)
          || strstr (status, "State:\tZ") != NULL)
        break;
      g_thread_yield ();
    }
}

static void
test_missing_program (void)
{
  const char *const argv[] = { "no-such-program", NULL };
  const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
  const VendChildOptions options = { .argv = argv, .env = env, .cwd = "/" };
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_child_run (&options, "it", NULL, &error));
  g_assert_nonnull (strstr (error->message, "start 'no-such-program': "));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/child/good", test_good);
  g_test_add_func ("/build/child/bad", test_bad);
  g_test_add_func ("/build/child/long-line", test_long_line);
  g_test_add_func ("/build/child/group-is-ended", test_group_is_ended);
  g_test_add_func ("/build/child/missing-program", test_missing_program);
  return g_test_run ();
}
