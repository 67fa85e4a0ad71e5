/* Request headers of creates. Pure. */
#include "api/headers.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/settings.h"
#include <string.h>

#define MAX_HOLD_S 60.0
#define EARLY_S 0.5
#define LEAST_CANCEL_AFTER_US (5 * VEND_US_PER_S)

static bool
parse_wait (const char *preference, double *out_s)
{
  if (g_ascii_strcasecmp (preference, "wait") == 0)
    {
      *out_s = MAX_HOLD_S;
      return true;
    }
  if (g_ascii_strncasecmp (preference, "wait", 4) != 0)
    return false;
  const char *text = preference + 4;
  while (*text == ' ')
    text++;
  if (*text++ != '=')
    return false;
  while (*text == ' ' || *text == '"')
    text++;
  char *end = NULL;
  double seconds = g_ascii_strtod (text, &end);
  if (end == text || !(seconds >= 0))
    return false;
  *out_s = CLAMP (seconds, 1.0, MAX_HOLD_S);
  return true;
}

int64_t
vend_prefer_wait_us (const char *prefer, char **out_applied)
{
  *out_applied = NULL;
  /* As many as fit into a request's head: a limit would leave the rest in the last one. */
  g_auto (GStrv) preferences = g_strsplit (prefer != NULL ? prefer : "", ",", -1);
  for (guint i = 0; preferences[i] != NULL; i++)
    {
      double seconds = 0;
      const char *preference = g_strstrip (preferences[i]);
      if (!parse_wait (preference, &seconds))
        continue;
      *out_applied = g_strdup (preference);
      return (int64_t) ((seconds - EARLY_S) * (double) VEND_US_PER_S);
    }
  return 0;
}

bool
vend_cancel_after_us (const char *header, int64_t *out_us, GError **error)
{
  int64_t after_us = 0;
  if (header == NULL)
    {
      *out_us = 0;
      return true;
    }
  if (!vend_duration_parse (header, &after_us, error))
    {
      g_prefix_error (error, "Cancel-After: ");
      return false;
    }
  if (after_us < LEAST_CANCEL_AFTER_US)
    return vend_fail (error, VEND_ERROR_INVALID, "Cancel-After: expected at least 5 seconds");
  *out_us = after_us;
  return true;
}
