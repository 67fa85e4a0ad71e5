/* Settings: the order of sources, and texts that must and must not parse. */
#include "base/error.h"
#include "base/settings.h"
#include <glib/gstdio.h>
#include <string.h>

static void
test_durations (void)
{
  static const struct
  {
    const char *text;
    int64_t us;
  } good[] = {
    { "45", 45000000 }, { "45s", 45000000 }, { "2m", 120000000 }, { "1h5m10s", 3910000000 },
    { "0.5s", 500000 }, { "250ms", 250000 }, { "0", 0 },          { "1d", 86400000000 },
  };
  static const char *const bad[] = { "",      "s",  "5x",  "-1",   "1h-5m", "nan", "inf",
                                     "1e400", " 5", "5 s", "0x1d", "1e5s",  "0x5", "1.2.3" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      int64_t us = -1;
      g_autoptr (GError) error = NULL;
      g_assert_true (vend_duration_parse (good[i].text, &us, &error));
      g_assert_cmpint (us, ==, good[i].us);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      int64_t us = -1;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_duration_parse (bad[i], &us, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_cmpint (us, ==, -1);
    }
}

static void
test_sizes (void)
{
  static const struct
  {
    const char *text;
    uint64_t bytes;
  } good[] = {
    { "4096", 4096 },
    { "512K", 512 << 10 },
    { "100MiB", 100 << 20 },
    { "1.5G", 1610612736 },
  };
  static const char *const bad[]
      = { "", "K", "-4", "4Q", "4 M", "99999999999T", "0x10", "1e3", "1e3K" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      uint64_t bytes = 0;
      g_autoptr (GError) error = NULL;
      g_assert_true (vend_size_parse (good[i].text, &bytes, &error));
      g_assert_cmpuint (bytes, ==, good[i].bytes);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      uint64_t bytes = 0;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_size_parse (bad[i], &bytes, &error));
    }
}

static void
test_sources (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendSettings) settings = NULL;
  const char *source = NULL;

  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "vend-settings-XXXXXX", NULL);
  int fd = g_mkstemp (path);
  g_assert_cmpint (fd, >=, 0);
  g_assert_true (
      g_file_set_contents (path, "# comment\nidle-timeout = 9s\nmax-queue=7\n", -1, NULL));
  g_assert_true (g_setenv ("VEND_MAX_QUEUE", "8", TRUE));

  g_assert_true (vend_settings_load (path, &settings, &error));
  g_assert_cmpint (vend_settings_us (settings, "idle-timeout"), ==, 9000000);
  g_assert_cmpint (vend_settings_int (settings, "max-queue"), ==, 8);
  g_assert_true (vend_settings_set (settings, "max-queue", "9", "flag", &error));
  g_assert_cmpstr (vend_settings_raw (settings, "max-queue", &source), ==, "9");
  g_assert_cmpstr (source, ==, "flag");

  g_assert_false (vend_settings_set (settings, "max-queue", "none", "flag", &error));
  g_assert_nonnull (strstr (error->message, "max-queue"));
  g_clear_error (&error);
  g_assert_false (vend_settings_set (settings, "max-kew", "1", "flag", &error));
  g_clear_error (&error);
  g_unsetenv ("VEND_MAX_QUEUE");
  g_close (fd, NULL);
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
test_bounds (void)
{
  static const struct
  {
    const char *name;
    const char *value;
    const char *problem;
  } bad[] = {
    { "max-queue", "0", "setting 'max-queue': expected 1 to 100000000, got '0'" },
    { "max-body", "1023", "setting 'max-body': expected 1024 to 1073741824, got '1023'" },
    { "head-timeout", "2d", "setting 'head-timeout': expected 0.1 to 86400 seconds, got '2d'" },
    { "setup-timeout", "0",
      "setting 'setup-timeout': expected 0.000001 to 86400 seconds, got '0'" },
  };
  g_autoptr (VendSettings) settings = NULL;
  g_assert_true (vend_settings_load (NULL, &settings, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_settings_set (settings, bad[i].name, bad[i].value, "flag", &error));
      g_assert_cmpstr (error->message, ==, bad[i].problem);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/settings/durations", test_durations);
  g_test_add_func ("/settings/sizes", test_sizes);
  g_test_add_func ("/settings/sources", test_sources);
  g_test_add_func ("/settings/bounds", test_bounds);
  return g_test_run ();
}
