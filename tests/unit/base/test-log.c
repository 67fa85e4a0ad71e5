/* Log lines as they are written: to a pipe in place of stderr. */
#include "base/log.h"
#include "base/fd.h"
#include <string.h>

#define TIME "2026-01-05T10:00:00 "

/* One line of each kind of value, without its time. */
static char *
line_of (VendLogFormat format, VendLogLevel level)
{
  int ends[2];
  char text[4096];
  vend_autofd before = dup (STDERR_FILENO);
  g_assert_cmpint (pipe (ends), ==, 0);
  vend_autofd from = ends[0];
  vend_autofd to = ends[1];
  g_assert_cmpint (dup2 (to, STDERR_FILENO), ==, STDERR_FILENO);
  vend_log_setup (VEND_LOG_DEBUG, format);
  vend_log (level, "a message", "none", NULL, "empty", "", "word", "w", "words", "a \"b\"", "last",
            NULL, NULL);
  g_assert_cmpint (dup2 (before, STDERR_FILENO), ==, STDERR_FILENO);
  ssize_t n = read (from, text, sizeof text);
  g_assert_cmpint (n, >, 0);
  const char *begin
      = format == VEND_LOG_FORMAT_JSON ? g_strstr_len (text, n, "\"level\"") : text + strlen (TIME);
  g_assert_nonnull (begin);
  g_assert_cmpint (text[n - 1], ==, '\n');
  text[n - 1] = '\0';
  return g_strdup (begin);
}

static void
test_keys_without_value (void)
{
  static const char *const names[] = { "debug", "info", "warn", "error" };
  for (guint level = VEND_LOG_DEBUG; level <= VEND_LOG_ERROR; level++)
    {
      g_autofree char *json = line_of (VEND_LOG_FORMAT_JSON, level);
      g_autofree char *text = line_of (VEND_LOG_FORMAT_TEXT, level);
      g_autofree char *json_wanted = g_strdup_printf (
          "\"level\":\"%s\",\"message\":\"a message\",\"empty\":\"\",\"word\":\"w\","
          "\"words\":\"a \\\"b\\\"\"}",
          names[level]);
      g_autofree char *text_wanted = g_strdup_printf (
          "%-5s a message  empty=\"\"  word=w  words=\"a \\\"b\\\"\"", names[level]);
      g_assert_cmpstr (json, ==, json_wanted);
      g_assert_cmpstr (text, ==, text_wanted);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log/keys-without-value", test_keys_without_value);
  return g_test_run ();
}
