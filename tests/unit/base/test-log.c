/* Log lines as they are written: to a pipe in place of stderr. */
#include "base/log.h"
#include "base/fd.h"
#include "base/log-repeats.h"
#include <string.h>
#include <unistd.h>

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

/* Fills with what is there until the writer has nothing more, and gives it. */
static gpointer
read_all (gpointer data)
{
  const int from = GPOINTER_TO_INT (data);
  GString *text = g_string_new (NULL);
  char piece[64 * 1024];
  for (ssize_t n; (n = read (from, piece, sizeof piece)) > 0;)
    g_string_append_len (text, piece, n);
  return g_string_free (text, FALSE);
}

static guint
count (const char *text, const char *what)
{
  guint n = 0;
  for (const char *at = text; (at = strstr (at, what)) != NULL; at += strlen (what))
    n++;
  return n;
}

static guint64
sum (const char *text, const char *what)
{
  guint64 all = 0;
  for (const char *at = text; (at = strstr (at, what)) != NULL;)
    all += g_ascii_strtoull (at += strlen (what), NULL, 10);
  return all;
}

/* The reader stands still: nobody who logs waits for him, lines that are the same are one, and what
 * was left out is counted. */
static void
test_reader_that_stands_still (void)
{
  enum
  {
    DIFFERENT = 20000,
    SAME = 100000
  };
  int ends[2];
  vend_autofd before = dup (STDERR_FILENO);
  g_assert_cmpint (pipe (ends), ==, 0);
  vend_autofd from = ends[0];
  g_assert_cmpint (dup2 (ends[1], STDERR_FILENO), ==, STDERR_FILENO);
  close (ends[1]);
  vend_log_setup (VEND_LOG_DEBUG, VEND_LOG_FORMAT_JSON);
  g_assert_true (vend_log_start_writer (NULL));
  for (guint i = 0; i < SAME; i++)
    vend_log (VEND_LOG_WARN, "the same", "a", "b", NULL);
  for (guint i = 0; i < DIFFERENT; i++)
    {
      g_autofree char *number = g_strdup_printf ("%u", i);
      vend_log (VEND_LOG_ERROR, "another", "number", number, "text",
                "long enough that all of them do not fit into the queue of lines", NULL);
    }
  /* As long as he does, an end does not wait for ever. */
  vend_log_stop_writer (0);
  g_autofree char *text = NULL;
  GThread *reader = g_thread_new ("reader", read_all, GINT_TO_POINTER (from));
  vend_log_stop_writer (20 * G_USEC_PER_SEC);
  g_assert_cmpint (dup2 (before, STDERR_FILENO), ==, STDERR_FILENO);
  text = g_thread_join (reader);
  const guint same = count (text, "\"the same\"");
  g_assert_cmpuint (same, <, 100);
  g_assert_cmpuint (same + sum (text, "\"repeated\":\""), >=, SAME);
  g_assert_nonnull (strstr (text, "\"number\":\"0\""));
  const guint written = count (text, "\"another\"");
  g_assert_cmpuint (written, <, DIFFERENT);
  g_autofree char *left_out
      = g_strdup_printf ("lines were left out\",\"lines\":\"%u\"", DIFFERENT - written);
  g_assert_nonnull (strstr (text, left_out));
}

static void
test_repeats (void)
{
  g_autoptr (VendLogRepeats) repeats = vend_log_repeats_new ();
  guint64 left_out = 7;
  g_assert_true (vend_log_repeats_pass (repeats, "a", 1, &left_out));
  g_assert_cmpuint (left_out, ==, 0);
  for (int i = 0; i < 10; i++)
    g_assert_false (vend_log_repeats_pass (repeats, "a", 2, &left_out));
  g_assert_true (vend_log_repeats_pass (repeats, "b", 2, &left_out));
  g_assert_null (vend_log_repeats_due (repeats, 3, false, &left_out));
  g_assert_true (vend_log_repeats_pass (repeats, "a", 1 + VEND_LOG_REPEAT_US, &left_out));
  g_assert_cmpuint (left_out, ==, 10);
  g_assert_false (vend_log_repeats_pass (repeats, "a", 2 + VEND_LOG_REPEAT_US, &left_out));
  g_autofree char *due
      = vend_log_repeats_due (repeats, 1 + 2 * VEND_LOG_REPEAT_US, false, &left_out);
  g_assert_cmpstr (due, ==, "a");
  g_assert_cmpuint (left_out, ==, 1);
  g_assert_null (vend_log_repeats_due (repeats, G_MAXINT64, true, &left_out));
  /* Many different ones are all written, and not all remembered. */
  for (int i = 0; i < 3 * VEND_LOG_REPEATS_MAX; i++)
    {
      g_autofree char *line = g_strdup_printf ("%d", i);
      g_assert_true (vend_log_repeats_pass (repeats, line, 3 * VEND_LOG_REPEAT_US, &left_out));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log/keys-without-value", test_keys_without_value);
  g_test_add_func ("/log/repeats", test_repeats);
  g_test_add_func ("/log/reader-that-stands-still", test_reader_that_stands_still);
  return g_test_run ();
}
