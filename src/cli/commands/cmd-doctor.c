/* `vend doctor`: the parts of this machine that Vend uses or lacks, one line each. Main thread
 * only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/commands/doctor-audit.h"
#include "cli/commands/file-place.h"
#include "cli/commands/hardware-settings.h"
#include "cli/commands/probe.h"
#include "base/error.h"
#include "base/settings.h"
#include "build/image-base.h"
#include "build/image-room.h"
#include "cgroup/bases.h"
#include "hardware/nvml.h"
#include "sandbox/probe.h"
#include "workspace/probe.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define GIB (G_GUINT64_CONSTANT (1) << 30)
#define DISK_WARN_BYTES (10 * GIB)
#define DISK_FAIL_BYTES (1 * GIB)
#define CLI_FILE_MODE_MASK 0077

typedef enum
{
  GOOD,
  WARN,
  FAIL,
} Verdict;

static const char *const verdict_names[] = { "ok", "warn", "fail" };
static const char *const verdict_colours[] = { "\033[32m", "\033[33m", "\033[31m" };

/* Collects the lines, and the JSON of `--json`. */
typedef struct
{
  json_t *checks;
  bool is_json;
  bool has_failed;
} Report;

static void report (Report *sheet, Verdict verdict, const char *check, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static void
report (Report *sheet, Verdict verdict, const char *check, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *detail = vend_terminal_one_line (text);
  bool coloured = vend_terminal_has_colour (STDOUT_FILENO);

  json_array_append_new (sheet->checks, json_pack ("{s:s, s:s, s:s}", "check", check, "status",
                                                   verdict_names[verdict], "detail", detail));
  sheet->has_failed = sheet->has_failed || verdict == FAIL;
  if (!sheet->is_json)
    printf ("%s%-4s%s  %-16s %s\n", coloured ? verdict_colours[verdict] : "",
            verdict_names[verdict], coloured ? "\033[0m" : "", check, detail);
}

static void
check_python (Report *sheet)
{
  static const char *const names[] = { "python3.8",  "python3.9",  "python3.10", "python3.11",
                                       "python3.12", "python3.13", "python3.14", "python3" };
  g_autoptr (GString) found = g_string_new (NULL);
  g_autofree char *uv = g_find_program_in_path ("uv");

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *argv[] = { names[i], "--version", NULL };
      g_autofree char *line = NULL;
      if (!vend_probe_line (argv, &line))
        continue;
      const char *version = g_str_has_prefix (line, "Python ") ? line + strlen ("Python ") : line;
      if (strstr (found->str, version) == NULL)
        g_string_append_printf (found, "%s%s", found->len > 0 ? ", " : "", version);
    }
  if (found->len > 0)
    report (sheet, GOOD, "python", "%s", found->str);
  else if (uv != NULL)
    report (sheet, WARN, "python", "none in PATH; uv fetches the versions that models need");
  else
    report (sheet, FAIL, "python", "none in PATH, and no uv to fetch one: models cannot be built");
}

/* One line for a program that is nice to have. */
static void
check_program (Report *sheet, const char *check, const char *program, const char *without)
{
  const char *argv[] = { program, "--version", NULL };
  g_autofree char *line = NULL;
  if (vend_probe_line (argv, &line))
    report (sheet, GOOD, check, "%s", line);
  else
    report (sheet, WARN, check, "'%s' not found: %s", program, without);
}

/* By the library that the server asks, so both see the same. The GPUs: of VendGpu. */
static GPtrArray *
check_nvidia (Report *sheet)
{
  g_autoptr (VendNvml) nvml = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_nvml_open (&nvml, &problem))
    {
      report (sheet, WARN, "nvidia", "%s: models run on the CPU", problem->message);
      return g_ptr_array_new ();
    }
  g_autoptr (GPtrArray) gpus = vend_nvml_read (nvml);
  if (gpus->len == 0)
    report (sheet, WARN, "nvidia", "the driver finds no GPU: models run on the CPU");
  for (guint i = 0; i < gpus->len; i++)
    {
      const VendGpu *gpu = g_ptr_array_index (gpus, i);
      g_autofree char *size = g_format_size_full (gpu->memory, G_FORMAT_SIZE_IEC_UNITS);
      if (gpu->fault == NULL)
        report (sheet, GOOD, "nvidia", "GPU %u: %s, %s", gpu->index, gpu->name, size);
      else
        report (sheet, WARN, "nvidia", "GPU %u: %s, %s; not used: %s", gpu->index, gpu->name, size,
                gpu->fault);
    }
  return g_steal_pointer (&gpus);
}

/* The settings of a server of this data directory, without flags. NULL when such a server would not
 * start. */
static VendSettings *
check_settings (Report *sheet, const GPtrArray *gpus, VendSkus **out_skus)
{
  g_autofree char *data = vend_data_dir ();
  g_autoptr (VendSettings) settings = NULL;
  g_autoptr (VendPrices) prices = NULL;
  g_autoptr (GError) problem = NULL;
  if (vend_data_dir_settings (data, &settings, &problem)
      && vend_hardware_settings_read (settings, gpus, out_skus, &prices, &problem))
    return g_steal_pointer (&settings);
  report (sheet, FAIL, "settings", "%s", problem->message);
  return NULL;
}

/* As seen from this process: a server that was started elsewhere may have more rights. */
static void
check_limits (Report *sheet, const VendSettings *settings, const VendSkus *skus)
{
  const bool cpus = skus != NULL && vend_skus_limit_cpus (skus);
  if (settings != NULL && strcmp (vend_settings_text (settings, "cgroups"), "off") == 0)
    {
      report (sheet, cpus ? WARN : GOOD, "limits", "cgroups is off: %s",
              cpus ? "hardware-cpus is not enforced"
                   : "limits hold for each process, not for an instance as a whole");
      return;
    }
  g_autoptr (VendCgroups) cgroups = vend_cgroups_detect ();
  g_autofree char *used = vend_cgroups_describe (cgroups);
  if (vend_cgroups_have_all (cgroups, true))
    report (sheet, GOOD, "limits", "%s", used);
  else if (vend_cgroups_have_all (cgroups, cpus))
    report (sheet, GOOD, "limits",
            "%s from here; no controller cpu, which only hardware-cpus needs", used);
  else
    report (sheet, WARN, "limits",
            "%s from here (%s); a missing limit holds for each process, or not at all", used,
            cgroups->why);
}

/* By trying it, as this user: also what is off could be on. */
static void
check_isolation (Report *sheet, const VendSettings *settings)
{
  const char *word = settings != NULL ? vend_settings_text (settings, "isolation") : "auto";
  VendIsolationSetting setting;
  if (!vend_isolation_setting_parse (word, &setting))
    {
      report (sheet, FAIL, "sandbox", "isolation: '%.100s' is none of " VEND_ISOLATION_SETTINGS,
              word);
      return;
    }
  g_autofree char *data = vend_data_dir ();
  const bool is_there = g_file_test (data, G_FILE_TEST_IS_DIR);
  g_autoptr (VendIsolationFound) found
      = vend_isolation_probe (is_there ? data : g_get_tmp_dir (), VEND_ISOLATE_AUTO);
  g_autofree char *text = vend_isolation_describe (found);
  if (setting == VEND_ISOLATE_OFF)
    report (sheet, WARN, "sandbox",
            "isolation is off: models run as the user of 'vend serve'; push only models that you "
            "trust. Here it could be %s",
            text);
  else if (found->kind == VEND_ISOLATION_SANDBOX)
    report (sheet, GOOD, "sandbox", "%s", text);
  else
    report (sheet, setting == VEND_ISOLATE_REQUIRED ? FAIL : WARN, "sandbox", "%s%s", text,
            setting == VEND_ISOLATE_REQUIRED ? "; isolation is required, so no instance starts"
                                             : "");
}

/* By trying it, where builds do it. */
static void
check_images (Report *sheet, const VendSettings *settings)
{
  const char *text = settings != NULL ? vend_settings_text (settings, "image-base") : "";
  g_autofree char *data = vend_data_dir ();
  const char *place = g_file_test (data, G_FILE_TEST_IS_DIR) ? data : g_get_tmp_dir ();
  g_autofree char *dir = g_build_filename (place, ".image-XXXXXX", NULL);
  g_autofree char *why = NULL;
  const char *storage = NULL;
  g_auto (VendImageBase) base = { 0 };
  g_autoptr (GError) error = NULL;
  if (*text == '\0')
    return;
  if (!vend_image_base_parse (text, "3", &base, &error))
    report (sheet, FAIL, "images", "%s", error->message);
  else if (g_mkdtemp_full (dir, 0700) == NULL)
    report (sheet, WARN, "images", "nothing can be tried in %s", place);
  else if (vend_image_room_probe (dir, &storage, &why))
    report (sheet, GOOD, "images", "'vend push --image' builds on %s, storage is %s", text,
            storage);
  else
    report (sheet, WARN, "images", "'vend push --image' does not work here: %s", why);
}

static void
check_working_copies (Report *sheet, const VendSettings *settings)
{
  g_autofree char *data = vend_data_dir ();
  g_autofree char *text = NULL;
  VendCopyKind kind = VEND_COPY_AUTO;
  const char *word = settings != NULL ? vend_settings_text (settings, "working-copy") : "auto";
  if (!vend_copy_kind_parse (word, &kind))
    report (sheet, FAIL, "working copies", "working-copy: '%.100s' is none of " VEND_COPY_KINDS,
            word);
  /* Before the first start there is nowhere to try. */
  else if (g_file_test (data, G_FILE_TEST_IS_DIR))
    {
      const bool good = vend_workspace_probe (data, kind, &text);
      report (sheet, good ? GOOD : WARN, "working copies", "%s", text);
    }
}

static void
check_disk (Report *sheet)
{
  g_autofree char *data = vend_data_dir ();
  g_autofree char *at = g_strdup (data);
  struct statvfs space;

  /* Before the first start only a parent is there. */
  while (!g_file_test (at, G_FILE_TEST_EXISTS) && strcmp (at, "/") != 0 && strcmp (at, ".") != 0)
    {
      g_autofree char *parent = g_path_get_dirname (at);
      g_free (at);
      at = g_steal_pointer (&parent);
    }
  if (access (at, W_OK | X_OK) < 0)
    {
      report (sheet, FAIL, "disk", "%s cannot be written (%s)", data, at);
      return;
    }
  if (statvfs (at, &space) < 0)
    {
      report (sheet, FAIL, "disk", "cannot read the free space of %s", at);
      return;
    }
  guint64 free_bytes = (guint64) space.f_bavail * space.f_frsize;
  g_autofree char *shown = g_format_size_full (free_bytes, G_FORMAT_SIZE_IEC_UNITS);
  Verdict verdict = free_bytes < DISK_FAIL_BYTES   ? FAIL
                    : free_bytes < DISK_WARN_BYTES ? WARN
                                                   : GOOD;
  report (sheet, verdict, "disk", "%s free in %s%s", shown, data,
          verdict == GOOD ? "" : "; model environments need several GiB");
}

/* By writing an object and removing it. */
static void
check_files (Report *sheet)
{
  g_autofree char *data = vend_data_dir ();
  g_autoptr (VendDepot) depot = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_file_depot_find (data, &depot, &problem))
    report (sheet, WARN, "files", "not tried: %s", problem->message);
  else if (depot == NULL)
    return;
  else if (depot->ops->check (depot, true, &problem))
    report (sheet, GOOD, "files", "the bucket can be listed and written");
  else
    report (sheet, FAIL, "files", "%s", problem->message);
}

static void
check_cli_file (Report *sheet)
{
  g_autofree char *data = vend_data_dir ();
  g_autofree char *path = g_build_filename (data, "cli.json", NULL);
  struct stat st;
  if (stat (path, &st) == 0 && (st.st_mode & CLI_FILE_MODE_MASK) != 0)
    report (sheet, WARN, "token file", "%s can be read by others; chmod 600 it", path);
}

static void
check_server (Report *sheet, const VendConnection *connection)
{
  g_autoptr (VendClient) client = NULL;
  g_autoptr (GError) problem = NULL;
  json_auto_t *health = NULL;
  json_auto_t *ready = NULL;
  json_auto_t *account = NULL;
  if (!vend_client_new (connection, &client, &problem))
    {
      report (sheet, FAIL, "server", "%s", problem->message);
      return;
    }

  const VendClientConfig *config = vend_client_get_config (client);
  if (!vend_client_call (client, "GET", "/-/healthz", NULL, &health, &problem))
    {
      /* Nobody asked for a server yet: then none has to be there. */
      bool is_expected = strcmp (config->url_source, "default") != 0;
      report (sheet, is_expected ? FAIL : WARN, "server", "%s", problem->message);
      return;
    }
  report (sheet, GOOD, "server", "%s (%s), version %s", config->url, config->url_source,
          vend_argument_shown (health, "version"));
  if (!vend_client_call (client, "GET", "/-/readyz", NULL, &ready, &problem))
    {
      report (sheet, FAIL, "ready", "%s", problem->message);
      g_clear_error (&problem);
    }

  if (config->token == NULL)
    report (sheet, FAIL, "token", "none; set --token or VEND_API_TOKEN");
  else if (!vend_client_call (client, "GET", "/v1/account", NULL, &account, &problem))
    report (sheet, FAIL, "token", "%s", problem->message);
  else
    report (sheet, GOOD, "token", "account %s (token from %s)",
            vend_argument_shown (account, "username"), config->token_source);
}

static bool
doctor (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autofree char *data = NULL;
  gboolean audit = FALSE, deep = FALSE, local = FALSE;
  const GOptionEntry entries[] = {
    { "local", 0, 0, G_OPTION_ARG_NONE, &local, "check this machine only, not the server", NULL },
    { "audit", 0, 0, G_OPTION_ARG_NONE, &audit,
      "check that database, files, processes and server agree", NULL },
    { "deep", 0, 0, G_OPTION_ARG_NONE, &deep, "with --audit: read the bytes of every file", NULL },
    { "data", 0, 0, G_OPTION_ARG_FILENAME, &data,
      "with --audit: data directory of the server ($VEND_DATA)", "DIR" },
    { NULL },
  };
  const VendOptions options = {
    .command = "doctor",
    .usage = "",
    .summary = "Checks this machine and the server.",
    .entries = entries,
    .connection = &connection,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  if (!audit && (deep || data != NULL))
    return vend_fail (error, VEND_ERROR_INVALID, "%s needs --audit", deep ? "--deep" : "--data");
  if (audit && local)
    return vend_fail (error, VEND_ERROR_INVALID, "expected either --local or --audit");
  if (audit)
    return vend_doctor_audit (&connection, data, deep, error);

  json_auto_t *checks = json_array ();
  Report sheet = { .checks = checks, .is_json = connection.json };
  check_python (&sheet);
  check_program (&sheet, "uv", "uv", "environments are installed with pip, which is slower");
  g_autoptr (GPtrArray) gpus = check_nvidia (&sheet);
  g_autoptr (VendSkus) skus = NULL;
  g_autoptr (VendSettings) settings = check_settings (&sheet, gpus, &skus);
  check_isolation (&sheet, settings);
  check_images (&sheet, settings);
  check_limits (&sheet, settings, skus);
  check_working_copies (&sheet, settings);
  check_disk (&sheet);
  check_files (&sheet);
  if (!local)
    {
      check_cli_file (&sheet);
      check_server (&sheet, &connection);
    }
  if (sheet.is_json)
    {
      json_auto_t *body
          = json_pack ("{s:b, s:O}", "ok", sheet.has_failed ? 0 : 1, "checks", checks);
      vend_terminal_json (body);
    }
  return !sheet.has_failed;
}

int
vend_cmd_doctor (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = doctor (argc, argv, &error);
  return vend_exit_code (good, error);
}
