/* `vend config`: settings, their values and where those come from. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client-config.h"
#include "cli/terminal/table.h"
#include "base/error.h"
#include "base/settings.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

static bool
load (VendSettings **out, GError **error)
{
  g_autofree char *data = vend_data_dir ();
  g_autoptr (VendSettings) settings = NULL;
  if (!vend_data_dir_settings (data, &settings, error))
    return false;
  if (*vend_settings_text (settings, "data") == '\0'
      && !vend_settings_set (settings, "data", data, "default", error))
    return false;
  *out = g_steal_pointer (&settings);
  return true;
}

static json_t *
setting_json (const VendSettings *settings, const VendSettingInfo *info)
{
  const char *source = NULL;
  const char *value = vend_settings_raw (settings, info->name, &source);
  return json_pack ("{s:s, s:s, s:s, s:s}", "name", info->name, "value", value, "source", source,
                    "help", info->help);
}

static bool
list (int argc, char **argv, GError **error)
{
  static const char *const columns[] = { "SETTING", "VALUE", "SOURCE", "HELP", NULL };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendSettings) settings = NULL;
  g_autoptr (VendTable) table = vend_table_new (columns);
  json_auto_t *results = json_array ();
  gboolean is_json = FALSE;
  gsize n = 0;
  const VendSettingInfo *infos = vend_setting_infos (&n);
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &is_json, "print JSON", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "config list",
    .usage = "",
    .summary
    = "Lists all settings with their sources, as a server started from here would have them: with\n"
      "this environment and data directory. A setting such as idle-timeout is set by the line\n"
      "'idle-timeout = 300s' of vend.conf in the data directory, by VEND_IDLE_TIMEOUT in the\n"
      "environment or by --idle-timeout of 'vend serve'. The last of these wins.",
    .entries = entries,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error) || !load (&settings, error))
    return false;
  for (gsize i = 0; i < n; i++)
    {
      const char *source = NULL;
      const char *value = vend_settings_raw (settings, infos[i].name, &source);
      vend_table_add (table, infos[i].name, value, source, infos[i].help);
      json_array_append_new (results, setting_json (settings, &infos[i]));
    }
  json_auto_t *page = json_pack ("{s:O}", "results", results);
  if (is_json)
    vend_terminal_json (page);
  else
    vend_table_print (table);
  return true;
}

static bool
get (int argc, char **argv, GError **error)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (VendSettings) settings = NULL;
  gboolean is_json = FALSE;
  gsize n = 0;
  const VendSettingInfo *infos = vend_setting_infos (&n);
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &is_json, "print JSON", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "config get",
    .usage = "NAME",
    .summary = "Prints the value of one setting, as a server started from here would have it.",
    .entries = entries,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error) || !load (&settings, error))
    return false;
  for (gsize i = 0; i < n; i++)
    if (strcmp (infos[i].name, words[0]) == 0)
      {
        json_auto_t *body = setting_json (settings, &infos[i]);
        if (is_json)
          vend_terminal_json (body);
        else
          vend_terminal_print ("%s\n", vend_json_string (body, "value"));
        return true;
      }
  return vend_fail (error, VEND_ERROR_INVALID, "unknown setting '%s'; see 'vend config'", words[0]);
}

int
vend_cmd_config (int argc, char **argv)
{
  static const VendSubcommand table[] = {
    { "list", "list", list },
    { "get", "get NAME", get },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  bool good = vend_subcommand_run ("config", table, argc, argv, &error);
  return vend_exit_code (good, error);
}
