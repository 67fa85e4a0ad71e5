/* What a run in progress tells. Pure. */
#include "mcp/progress.h"
#include <string.h>

/* Of the logs, which grow to megabytes. */
#define TAIL_BYTES 4096
#define MAX_LINE 200
#define SMALL_STEP 0.001

static const char *
tail_of (const char *logs)
{
  const gsize size = strlen (logs);
  return size > TAIL_BYTES ? logs + size - TAIL_BYTES : logs;
}

double
vend_mcp_percent (const char *logs)
{
  const char *tail = tail_of (logs);
  for (const char *at = tail + strlen (tail); at > tail; at--)
    {
      if (at[-1] != '%')
        continue;
      const char *end = at - 1;
      const char *start = end;
      while (start > tail && (g_ascii_isdigit (start[-1]) || start[-1] == '.'))
        start--;
      g_autofree char *digits = g_strndup (start, (gsize) (end - start));
      char *rest = NULL;
      const double percent = g_ascii_strtod (digits, &rest);
      if (*digits != '\0' && *rest == '\0' && percent >= 0 && percent <= 100)
        return percent;
    }
  return -1;
}

static char *
last_line (const char *logs)
{
  g_autofree char *tail = g_utf8_make_valid (tail_of (logs), -1);
  g_strdelimit (tail, "\r", '\n');
  g_strchomp (tail);
  const char *newline = strrchr (tail, '\n');
  const char *line = newline != NULL ? newline + 1 : tail;
  g_autoptr (GString) shown = g_string_new (NULL);
  for (; *line != '\0' && shown->len < MAX_LINE; line = g_utf8_next_char (line))
    {
      const gunichar c = g_utf8_get_char (line);
      g_string_append_unichar (shown, g_unichar_iscntrl (c) ? ' ' : c);
    }
  return g_string_free (g_steal_pointer (&shown), FALSE);
}

char *
vend_mcp_progress_text (const VendPrediction *now)
{
  if (now->status == VEND_STATUS_STARTING)
    {
      if (now->queue_position == 0)
        return g_strdup ("waiting for an instance of the model");
      if (now->queue_eta_us == VEND_ETA_UNKNOWN)
        return g_strdup_printf ("queued at position %u", now->queue_position);
      return g_strdup_printf ("queued at position %u, starts in about %.0f s", now->queue_position,
                              (double) now->queue_eta_us / 1e6);
    }
  g_autofree char *line = last_line (now->logs);
  return *line != '\0' ? g_strdup_printf ("running: %s", line) : g_strdup ("running");
}

double
vend_mcp_progress_next (double last, double percent)
{
  return percent > last ? percent : last + SMALL_STEP;
}
