/* Calendar months, UTC. */
#include "model/month.h"
#include "base/clock.h"
#include <string.h>

#define SHAPE "2026-11"

static int64_t
begin_of (int year, int month)
{
  g_autoptr (GDateTime) begin = g_date_time_new_utc (year, month, 1, 0, 0, 0);
  return g_date_time_to_unix (begin) * VEND_US_PER_S;
}

int64_t
vend_month_begin (int64_t at_us)
{
  g_autoptr (GDateTime) at = g_date_time_new_from_unix_utc (at_us / VEND_US_PER_S);
  return begin_of (g_date_time_get_year (at), g_date_time_get_month (at));
}

int64_t
vend_month_end (int64_t at_us)
{
  g_autoptr (GDateTime) at = g_date_time_new_from_unix_utc (at_us / VEND_US_PER_S);
  const int year = g_date_time_get_year (at), month = g_date_time_get_month (at);
  return month == 12 ? begin_of (year + 1, 1) : begin_of (year, month + 1);
}

bool
vend_month_parse (const char *text, int64_t *out_us)
{
  if (strlen (text) != strlen (SHAPE) || strspn (text, "0123456789") != 4 || text[4] != '-'
      || strspn (text + 5, "0123456789") != 2)
    return false;
  const int year = (int) g_ascii_strtoll (text, NULL, 10);
  const int month = (int) g_ascii_strtoll (text + 5, NULL, 10);
  /* 9998: the end of the last year must be in range too. */
  if (year < 1970 || year > 9998 || month < 1 || month > 12)
    return false;
  *out_us = begin_of (year, month);
  return true;
}

char *
vend_month_text (int64_t at_us)
{
  g_autofree char *time = vend_time_format (at_us);
  return g_strndup (time, strlen (SHAPE));
}
