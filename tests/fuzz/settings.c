/* Durations, sizes, times and settings. One line each: a duration, a size, a time, a setting's
 * name; the rest is its value. */
#include "fuzz.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/settings.h"
#include <string.h>

static void
check_duration (const char *text)
{
  int64_t us = -7;
  g_autoptr (GError) error = NULL;
  const bool good = vend_duration_parse (text, &us, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (us == -7 && error->code == VEND_ERROR_INVALID);
      return;
    }
  g_assert_true (us >= 0 && us <= G_MAXINT64 / 2);
  g_assert_true (text[strspn (text, "0123456789.smhd")] == '\0');
  int64_t again_us = 0;
  g_autofree char *seconds = g_strdup_printf ("%" G_GINT64_FORMAT ".%06ds", us / VEND_US_PER_S,
                                              (int) (us % VEND_US_PER_S));
  g_assert_true (vend_duration_parse (seconds, &again_us, NULL));
  if (us < G_GINT64_CONSTANT (1) << 50)
    g_assert_cmpint (again_us, ==, us);
}

static void
check_size (const char *text)
{
  uint64_t bytes = 7777;
  g_autoptr (GError) error = NULL;
  const bool good = vend_size_parse (text, &bytes, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (bytes == 7777 && error->code == VEND_ERROR_INVALID);
      return;
    }
  g_assert_cmpuint (bytes, <=, G_MAXINT64 / 2 + 1);
  g_assert_true (text[strspn (text, "0123456789.kKmMgGtTiB")] == '\0');
  uint64_t again = 0;
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, bytes);
  g_assert_true (vend_size_parse (number, &again, NULL));
  if (bytes < G_GUINT64_CONSTANT (1) << 53)
    g_assert_cmpuint (again, ==, bytes);
}

static void
check_time (const char *text)
{
  int64_t us = -7;
  int64_t again_us = 0;
  g_autoptr (GError) error = NULL;
  const bool good = vend_time_parse (text, &us, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_cmpint (us, ==, -7);
      return;
    }
  g_autofree char *shown = vend_time_format (us);
  g_assert_cmpuint (strlen (shown), ==, strlen ("2026-01-05T10:00:00.120345Z"));
  g_assert_true (vend_time_parse (shown, &again_us, NULL));
  g_assert_cmpint (again_us, ==, us);
}

static void
check_setting (const char *name, const char *value)
{
  g_autoptr (VendSettings) settings = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_settings_load (NULL, &settings, NULL));
  const bool good = vend_settings_set (settings, name, value, "flag", &error);
  fuzz_check_error (good, error);
  gsize n = 0;
  const VendSettingInfo *infos = vend_setting_infos (&n);
  for (gsize i = 0; i < n; i++)
    if (strcmp (infos[i].name, name) == 0)
      g_assert_cmpstr (vend_settings_raw (settings, name, NULL), ==,
                       good ? value : infos[i].fallback);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  g_autofree char *duration = fuzz_take_line (&input);
  g_autofree char *bytes = fuzz_take_line (&input);
  g_autofree char *time = fuzz_take_line (&input);
  g_autofree char *name = fuzz_take_line (&input);
  g_autofree char *value = fuzz_take_text (&input);
  check_duration (duration);
  check_size (bytes);
  check_time (time);
  check_setting (name, value);
  return 0;
}
