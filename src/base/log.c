/* Structured log lines on stderr: text on a terminal, one JSON object a line otherwise. */
#include "base/log.h"
#include "base/clock.h"
#include "base/log-repeats.h"
#include "base/plain-text.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_PAIRS 24

static _Atomic VendLogLevel least_level = VEND_LOG_INFO;
static bool as_json = true;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void
vend_log_set_level (VendLogLevel least)
{
  least_level = least;
}

void
vend_log_setup (VendLogLevel least, VendLogFormat format)
{
  least_level = least;
  as_json = format == VEND_LOG_FORMAT_JSON
            || (format == VEND_LOG_FORMAT_AUTO && !isatty (STDERR_FILENO));
}

/* `text` is UTF-8. */
static void
append_quoted (GString *line, const char *text)
{
  g_string_append_c (line, '"');
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      const gunichar c = g_utf8_get_char (at);
      if (c == '"' || c == '\\')
        g_string_append_printf (line, "\\%c", *at);
      else if (vend_plain_is_control (c))
        g_string_append_printf (line, "\\u%04x", c);
      else
        g_string_append_unichar (line, c);
    }
  g_string_append_c (line, '"');
}

static bool
needs_quotes (const char *text)
{
  bool needed = *text == '\0' || strpbrk (text, " \"") != NULL;
  for (const char *at = text; !needed && *at != '\0'; at = g_utf8_next_char (at))
    needed = vend_plain_is_control (g_utf8_get_char (at));
  return needed;
}

/* Both without the time at the start and the line end. `pairs` ends with NULL in place of a key. */
static void
append_json (GString *line, VendLogLevel level, const char *message, const char *const *pairs)
{
  g_string_append_printf (line, "\"level\":\"%s\",\"message\":", level_names[level]);
  append_quoted (line, message);
  for (; *pairs != NULL; pairs += 2)
    {
      if (pairs[1] == NULL)
        continue;
      g_autofree char *valid = g_utf8_make_valid (pairs[1], -1);
      g_string_append_c (line, ',');
      append_quoted (line, pairs[0]);
      g_string_append_c (line, ':');
      append_quoted (line, valid);
    }
}

static void
append_text (GString *line, VendLogLevel level, const char *message, const char *const *pairs)
{
  g_string_append_printf (line, "%-5s %s", level_names[level], message);
  for (; *pairs != NULL; pairs += 2)
    {
      const char *value = pairs[1];
      if (value == NULL)
        continue;
      g_autofree char *valid = g_utf8_make_valid (value, -1);
      g_string_append_printf (line, "  %s=", pairs[0]);
      if (needs_quotes (valid))
        append_quoted (line, valid);
      else
        g_string_append (line, valid);
    }
}

/* ---- Writing */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static VendLogRepeats *repeats;
static GString *waiting; /* for the writer; NULL without a writer */
static guint64 dropped;  /* lines, since the last line that fitted */
static bool writer_ends;
static bool writer_ended;

/* A line is one write, which keeps lines of several threads and processes apart. A full or closed
 * stderr must not stop the process. */
static void
write_line (const char *bytes, gsize size)
{
  ssize_t ignored = write (STDERR_FILENO, bytes, size);
  (void) ignored;
}

/* Appends the line; the number of repeats goes in before its end. */
static void
append_line (GString *to, const char *time, const char *rest, guint64 left_out)
{
  g_string_append (to, time);
  g_string_append (to, rest);
  if (left_out > 0)
    g_string_append_printf (
        to, as_json ? ",\"repeated\":\"%" G_GUINT64_FORMAT "\"" : "  repeated=%" G_GUINT64_FORMAT,
        left_out);
  g_string_append (to, as_json ? "}\n" : "\n");
}

static char *
time_prefix (void)
{
  g_autofree char *time = vend_time_format (vend_now_us ());
  return as_json ? g_strdup_printf ("{\"time\":\"%s\",", time) : g_strdup_printf ("%.19s ", time);
}

/* Under the lock. */
static void
hand_over (const char *line, gsize size)
{
  if (waiting == NULL)
    {
      write_line (line, size);
      return;
    }
  if (waiting->len + size > VEND_LOG_QUEUE_BYTES)
    {
      dropped++;
      return;
    }
  g_string_append_len (waiting, line, (gssize) size);
  pthread_cond_broadcast (&changed);
}

/* Under the lock. A number of repeats waits until there is room for its line. */
static void
write_due (int64_t now_us, bool all)
{
  guint64 left_out = 0;
  while (waiting == NULL || waiting->len < VEND_LOG_QUEUE_BYTES / 2)
    {
      g_autofree char *rest = vend_log_repeats_due (repeats, now_us, all, &left_out);
      if (rest == NULL)
        return;
      g_autoptr (GString) line = g_string_new (NULL);
      g_autofree char *time = time_prefix ();
      append_line (line, time, rest, left_out);
      hand_over (line->str, line->len);
    }
}

static void
tell_dropped (GString *to)
{
  if (dropped == 0)
    return;
  g_autofree char *time = time_prefix ();
  g_autofree char *count = g_strdup_printf ("%" G_GUINT64_FORMAT, dropped);
  g_autoptr (GString) rest = g_string_new (NULL);
  const char *const pairs[] = { "lines", count, NULL };
  (as_json ? append_json : append_text) (
      rest, VEND_LOG_WARN, "the reader of the log stood still; lines were left out", pairs);
  append_line (to, time, rest->str, 0);
  dropped = 0;
}

/* Line by line, since a pipe takes at most 4 KiB in one piece. */
static void
write_lines (const GString *lines)
{
  for (const char *at = lines->str, *end; (end = strchr (at, '\n')) != NULL; at = end + 1)
    write_line (at, (gsize) (end + 1 - at));
}

/* Under the lock, which is released meanwhile. */
static void
write_waiting (void)
{
  GString *lines = waiting;
  waiting = g_string_sized_new (256);
  tell_dropped (lines);
  pthread_mutex_unlock (&lock);
  write_lines (lines);
  g_string_free (lines, TRUE);
  pthread_mutex_lock (&lock);
}

/* At most a second, since repeats become due. */
static void
wait_for_lines (void)
{
  struct timespec until;
  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_sec++;
  pthread_cond_timedwait (&changed, &lock, &until);
}

static gpointer
writer_main (gpointer data)
{
  sigset_t signals;
  sigfillset (&signals);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
  pthread_mutex_lock (&lock);
  for (;;)
    {
      write_due (g_get_monotonic_time (), writer_ends);
      if (waiting->len > 0)
        write_waiting ();
      else if (writer_ends)
        break;
      else
        wait_for_lines ();
    }
  g_string_free (g_steal_pointer (&waiting), TRUE);
  writer_ended = true;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
  return NULL;
}

bool
vend_log_start_writer (GError **error)
{
  pthread_condattr_t attributes;
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&changed, &attributes);
  pthread_condattr_destroy (&attributes);
  if (repeats == NULL)
    repeats = vend_log_repeats_new ();
  waiting = g_string_sized_new (256);
  writer_ends = writer_ended = false;
  GThread *thread = g_thread_try_new ("log", writer_main, NULL, error);
  if (thread == NULL)
    {
      g_string_free (g_steal_pointer (&waiting), TRUE);
      return false;
    }
  g_thread_unref (thread);
  return true;
}

void
vend_log_stop_writer (int64_t patience_us)
{
  struct timespec until;
  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_sec += patience_us / G_USEC_PER_SEC;
  pthread_mutex_lock (&lock);
  if (waiting != NULL)
    {
      writer_ends = true;
      pthread_cond_broadcast (&changed);
      while (!writer_ended && pthread_cond_timedwait (&changed, &lock, &until) == 0)
        ;
    }
  pthread_mutex_unlock (&lock);
}

void
vend_log (VendLogLevel level, const char *message, ...)
{
  if (level < least_level)
    return;
  const char *pairs[2 * MAX_PAIRS + 1];
  guint n = 0;
  va_list args;
  va_start (args, message);
  for (const char *key; n < 2 * MAX_PAIRS && (key = va_arg (args, const char *)) != NULL;)
    {
      pairs[n++] = key;
      pairs[n++] = va_arg (args, const char *);
    }
  va_end (args);
  pairs[n] = NULL;

  g_autoptr (GString) rest = g_string_sized_new (256);
  g_autoptr (GString) line = g_string_sized_new (256);
  g_autofree char *time = time_prefix ();
  (as_json ? append_json : append_text) (rest, level, message, pairs);
  const int64_t now_us = g_get_monotonic_time ();
  guint64 left_out = 0;
  pthread_mutex_lock (&lock);
  if (repeats == NULL)
    repeats = vend_log_repeats_new ();
  write_due (now_us, false);
  if (vend_log_repeats_pass (repeats, rest->str, now_us, &left_out))
    {
      append_line (line, time, rest->str, left_out);
      hand_over (line->str, line->len);
    }
  pthread_mutex_unlock (&lock);
}
