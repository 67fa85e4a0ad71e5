/* Structured log lines on stderr: text on a terminal, one JSON object a line otherwise. */
#include "base/log.h"
#include "base/clock.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static VendLogLevel least_level = VEND_LOG_INFO;
static bool as_json = true;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void
vend_log_setup (VendLogLevel least, VendLogFormat format)
{
  least_level = least;
  as_json = format == VEND_LOG_FORMAT_JSON
            || (format == VEND_LOG_FORMAT_AUTO && !isatty (STDERR_FILENO));
}

static void
append_quoted (GString *line, const char *text)
{
  g_string_append_c (line, '"');
  for (const char *c = text; *c != '\0'; c++)
    if (*c == '"' || *c == '\\')
      g_string_append_printf (line, "\\%c", *c);
    else if ((guchar) *c < 0x20)
      g_string_append_printf (line, "\\u%04x", (guchar) *c);
    else
      g_string_append_c (line, *c);
  g_string_append_c (line, '"');
}

static void
append_json (GString *line, VendLogLevel level, const char *time, const char *message,
             va_list pairs)
{
  g_string_append_printf (line, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", time,
                          level_names[level]);
  append_quoted (line, message);
  for (const char *key; (key = va_arg (pairs, const char *)) != NULL;)
    {
      const char *value = va_arg (pairs, const char *);
      if (value == NULL)
        continue;
      g_autofree char *valid = g_utf8_make_valid (value, -1);
      g_string_append_c (line, ',');
      append_quoted (line, key);
      g_string_append_c (line, ':');
      append_quoted (line, valid);
    }
  g_string_append (line, "}\n");
}

static void
append_text (GString *line, VendLogLevel level, const char *time, const char *message,
             va_list pairs)
{
  g_string_append_printf (line, "%.19s %-5s %s", time, level_names[level], message);
  for (const char *key; (key = va_arg (pairs, const char *)) != NULL;)
    {
      const char *value = va_arg (pairs, const char *);
      if (value == NULL)
        continue;
      g_string_append_printf (line, "  %s=", key);
      if (*value == '\0' || strpbrk (value, " \"\n\t") != NULL)
        append_quoted (line, value);
      else
        g_string_append (line, value);
    }
  g_string_append_c (line, '\n');
}

void
vend_log (VendLogLevel level, const char *message, ...)
{
  if (level < least_level)
    return;

  g_autoptr (GString) line = g_string_sized_new (256);
  g_autofree char *time = vend_time_format (vend_now_us ());
  va_list pairs;
  va_start (pairs, message);
  if (as_json)
    append_json (line, level, time, message, pairs);
  else
    append_text (line, level, time, message, pairs);
  va_end (pairs);
  /* One write keeps lines of several threads apart; a full or closed stderr must not stop us. */
  ssize_t ignored = write (STDERR_FILENO, line->str, line->len);
  (void) ignored;
}
