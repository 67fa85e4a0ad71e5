/* Time as Vend stores and shows it: microseconds since the epoch, UTC. */
#include "base/clock.h"
#include "base/error.h"

int64_t
vend_now_us (void)
{
  return g_get_real_time ();
}

char *
vend_time_format (int64_t time_us)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time_us / VEND_US_PER_S);
  g_autofree char *seconds = g_date_time_format (date, "%Y-%m-%dT%H:%M:%S");
  return g_strdup_printf ("%s.%06dZ", seconds, (int) (time_us % VEND_US_PER_S));
}

bool
vend_time_parse (const char *text, int64_t *out_us, GError **error)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (text, utc);
  if (date == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' is not an ISO 8601 date and time", text);
  *out_us = g_date_time_to_unix (date) * VEND_US_PER_S + g_date_time_get_microsecond (date);
  return true;
}
