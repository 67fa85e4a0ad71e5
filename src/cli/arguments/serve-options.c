/* Flags of `vend serve`: one for each setting. */
#include "cli/arguments/serve-options.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

static void
print_help (void)
{
  gsize n = 0;
  const VendSettingInfo *infos = vend_setting_infos (&n);
  printf ("Usage: vend serve [--SETTING VALUE]...\n\nRuns the server.\n\n"
          "Each setting is also a line `name = value` of the config file (DATA/vend.conf) and an\n"
          "environment variable, VEND_NAME.\n\n");
  for (gsize i = 0; i < n; i++)
    printf ("  --%-18s %s%s%s%s\n", infos[i].name, infos[i].help,
            *infos[i].fallback != '\0' ? " (default " : "", infos[i].fallback,
            *infos[i].fallback != '\0' ? ")" : "");
}

static const VendSettingInfo *
find_setting (const char *name)
{
  gsize n = 0;
  const VendSettingInfo *infos = vend_setting_infos (&n);
  for (gsize i = 0; i < n; i++)
    if (strcmp (infos[i].name, name) == 0)
      return &infos[i];
  return NULL;
}

/* --name value, --name=value, and --name alone for switches. */
static bool
apply_flags (int argc, char **argv, VendSettings *settings, GError **error)
{
  for (int i = 1; i < argc; i++)
    {
      if (!g_str_has_prefix (argv[i], "--"))
        return vend_fail (error, VEND_ERROR_INVALID, "unexpected argument '%s'", argv[i]);
      g_auto (GStrv) pair = g_strsplit (argv[i] + 2, "=", 2);
      const char *name = pair[0] != NULL ? pair[0] : "";
      const char *value = pair[0] != NULL ? pair[1] : NULL;
      const VendSettingInfo *setting = find_setting (name);
      if (value == NULL && setting != NULL && setting->type == VEND_SETTING_BOOL
          && (i + 1 == argc || g_str_has_prefix (argv[i + 1], "--")))
        value = "true";
      else if (value == NULL && i + 1 < argc)
        value = argv[++i];
      else if (value == NULL && setting != NULL)
        return vend_fail (error, VEND_ERROR_INVALID, "--%s needs a value", name);
      else if (value == NULL)
        value = ""; /* refused for its name */
      if (!vend_settings_set (settings, name, value, "flag", error))
        return false;
    }
  return true;
}

/* The config file lies in the data directory, which a flag or the environment may move. */
static char *
config_file (int argc, char **argv)
{
  const char *data = g_getenv ("VEND_DATA");
  for (int i = 1; i < argc; i++)
    if (g_str_has_prefix (argv[i], "--data="))
      data = argv[i] + strlen ("--data=");
    else if (strcmp (argv[i], "--data") == 0 && i + 1 < argc)
      data = argv[i + 1];
  if (data != NULL && *data != '\0')
    return g_build_filename (data, "vend.conf", NULL);
  return g_build_filename (g_get_user_data_dir (), "vend", "vend.conf", NULL);
}

static const char *const levels[] = { "debug", "info", "warn", "error" };

static bool
setup_log (const VendSettings *settings, GError **error)
{
  static const char *const formats[] = { "auto", "text", "json" };
  const char *level = vend_settings_text (settings, "log-level");
  const char *format = vend_settings_text (settings, "log-format");
  guint l = 0, f = 0;
  while (l < G_N_ELEMENTS (levels) && strcmp (levels[l], level) != 0)
    l++;
  while (f < G_N_ELEMENTS (formats) && strcmp (formats[f], format) != 0)
    f++;
  if (l == G_N_ELEMENTS (levels))
    return vend_fail (error, VEND_ERROR_INVALID, "log-level: expected debug, info, warn or error");
  if (f == G_N_ELEMENTS (formats))
    return vend_fail (error, VEND_ERROR_INVALID, "log-format: expected auto, text or json");
  vend_log_setup ((VendLogLevel) l, (VendLogFormat) f);
  return true;
}

bool
vend_serve_options (int argc, char **argv, VendSettings **out, int *out_status)
{
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], "--help") == 0 || strcmp (argv[i], "-h") == 0)
      {
        print_help ();
        *out_status = 0;
        return false;
      }
  g_autoptr (VendSettings) settings = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *file = config_file (argc, argv);
  if (!vend_settings_load (file, &settings, &error) || !apply_flags (argc, argv, settings, &error)
      || !setup_log (settings, &error))
    {
      vend_terminal_note ("vend serve: %s\nTry 'vend serve --help'.", error->message);
      *out_status = 2;
      return false;
    }
  *out = g_steal_pointer (&settings);
  return true;
}

/* Settings that take effect at once; all others were handed to parts of the server at its start. */
static bool
is_taken_at_once (const char *name)
{
  return strcmp (name, "log-level") == 0;
}

static void
take (const char *value)
{
  for (guint i = 0; i < G_N_ELEMENTS (levels); i++)
    if (strcmp (levels[i], value) == 0)
      vend_log_set_level ((VendLogLevel) i);
}

static void
compare (VendSettings *settings, const VendSettings *now, const char *name)
{
  const char *before = NULL, *source = NULL;
  const char *value = vend_settings_raw (now, name, &source);
  g_autoptr (GError) error = NULL;
  if (strcmp (vend_settings_raw (settings, name, &before), value) == 0)
    return;
  /* A default that the start computed. */
  if (strcmp (before, "default") == 0 && strcmp (source, "default") == 0)
    return;
  /* Taken out of the environment by the start. */
  if (strcmp (before, "environment") == 0 && strcmp (source, "default") == 0)
    return;
  if (!is_taken_at_once (name))
    {
      vend_log (VEND_LOG_WARN, "a changed setting takes effect at the next start", "setting", name,
                "value", value, NULL);
      return;
    }
  take (value);
  if (!vend_settings_set (settings, name, value, "file", &error))
    vend_log (VEND_LOG_WARN, "cannot apply a setting", "error", error->message, NULL);
  vend_log (VEND_LOG_INFO, "a setting changed", "setting", name, "value", value, NULL);
}

void
vend_serve_reload (int argc, char **argv, VendSettings *settings)
{
  gsize n = 0;
  const VendSettingInfo *infos = vend_setting_infos (&n);
  g_autoptr (VendSettings) now = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *file = config_file (argc, argv);
  if (!vend_settings_load (file, &now, &error) || !apply_flags (argc, argv, now, &error))
    {
      vend_log (VEND_LOG_ERROR, "cannot reload the settings; the old values stay in effect",
                "error", error->message, NULL);
      return;
    }
  const char *level = vend_settings_text (now, "log-level");
  const char *const known[] = { levels[0], levels[1], levels[2], levels[3], NULL };
  if (!g_strv_contains (known, level))
    {
      vend_log (VEND_LOG_ERROR, "cannot reload the settings; the old values stay in effect",
                "error", "log-level: expected debug, info, warn or error", NULL);
      return;
    }
  for (gsize i = 0; i < n; i++)
    compare (settings, now, infos[i].name);
}

char *
vend_serve_url (const char *scheme, const char *listen, guint port)
{
  const char *colon = strrchr (listen, ':');
  g_autofree char *host = g_strndup (listen, colon != NULL ? (gsize) (colon - listen) : 0);
  if (*host == '\0' || strcmp (host, "0.0.0.0") == 0 || strcmp (host, "[::]") == 0)
    return g_strdup_printf ("%s://127.0.0.1:%u", scheme, port);
  return g_strdup_printf ("%s://%s:%u", scheme, host, port);
}
