/* Time in Vend's form: microseconds since the epoch, UTC. */
#include "base/clock.h"
#include "base/error.h"
#include <pthread.h>
#include <time.h>

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

/* As many decimal digits as there are in the place. */
static void
put (char *place, gsize digits, int64_t number)
{
  while (digits > 0)
    {
      place[--digits] = (char) ('0' + number % 10);
      number /= 10;
    }
}

/* Lists hold hundreds of times: without printf and without a GDateTime. */
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
  char text[] = "0000-00-00T00:00:00.000000Z";
  const time_t clamped = (time_t) CLAMP (seconds, LEAST_S, GREATEST_S);
  struct tm date;
  g_assert (gmtime_r (&clamped, &date) != NULL);
  put (text, 4, date.tm_year + 1900);
  put (text + 5, 2, date.tm_mon + 1);
  put (text + 8, 2, date.tm_mday);
  put (text + 11, 2, date.tm_hour);
  put (text + 14, 2, date.tm_min);
  put (text + 17, 2, date.tm_sec);
  put (text + 20, 6, fraction);
  return g_strdup (text);
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
