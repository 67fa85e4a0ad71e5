/* Time in Vend's form: microseconds since the epoch, UTC. */
#include "base/clock.h"
#include "base/error.h"
#include <pthread.h>

/* The years 1 to 9999: the range of four digits. */
#define LEAST_S G_GINT64_CONSTANT (-62135596800)
#define GREATEST_S G_GINT64_CONSTANT (253402300799)

int64_t
vend_now_us (void)
{
  return g_get_real_time ();
}

static pthread_once_t steady_once = PTHREAD_ONCE_INIT;
static int64_t steady_offset_us;

static void
begin_steady (void)
{
  steady_offset_us = vend_now_us () - g_get_monotonic_time ();
}

int64_t
vend_steady_us (void)
{
  pthread_once (&steady_once, begin_steady);
  return g_get_monotonic_time () + steady_offset_us;
}

int64_t
vend_steady_of (int64_t wall_us)
{
  return vend_steady_us () - (vend_now_us () - wall_us);
}

int64_t
vend_wall_of (int64_t steady_us)
{
  return vend_now_us () - (vend_steady_us () - steady_us);
}

char *
vend_time_format (int64_t time_us)
{
  int64_t seconds = time_us / VEND_US_PER_S;
  int64_t fraction = time_us % VEND_US_PER_S;
  if (fraction < 0)
    {
      seconds--;
      fraction += VEND_US_PER_S;
    }
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (CLAMP (seconds, LEAST_S, GREATEST_S));
  return g_strdup_printf ("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", g_date_time_get_year (date),
                          g_date_time_get_month (date), g_date_time_get_day_of_month (date),
                          g_date_time_get_hour (date), g_date_time_get_minute (date),
                          g_date_time_get_second (date), (int) fraction);
}

bool
vend_time_parse (const char *text, int64_t *out_us, GError **error)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (text, utc);
  const int64_t seconds = date != NULL ? g_date_time_to_unix (date) : 0;
  if (date == NULL || seconds < LEAST_S || seconds > GREATEST_S)
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' is not an ISO 8601 date and time", text);
  *out_us = seconds * VEND_US_PER_S + g_date_time_get_microsecond (date);
  return true;
}
