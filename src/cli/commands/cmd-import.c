/* `vend import`: an archive of `vend export` becomes a version. Main thread only. */
#include "cli/commands.h"
#include "base/error.h"
#include "base/settings.h"
#include "build/bundle-read.h"
#include "cli/arguments/arguments.h"
#include "cli/arguments/options.h"
#include "cli/commands/import-replicate.h"
#include "cli/commands/push.h"
#include <string.h>

typedef struct
{
  VendConnection connection;
  gboolean is_public;
  gboolean is_private;
  gboolean smoke;
} Flags;

static void
flags_clear (Flags *flags)
{
  vend_connection_clear (&flags->connection);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flags, flags_clear)

static bool
parse (int argc, char **argv, Flags *flags, GStrv *out_words, GError **error)
{
  const GOptionEntry entries[] = {
    { "private", 0, 0, G_OPTION_ARG_NONE, &flags->is_private,
      "for a new model: only the owner may run the model (default)", NULL },
    { "public", 0, 0, G_OPTION_ARG_NONE, &flags->is_public,
      "for a new model: every account may run the model", NULL },
    { "smoke", 0, 0, G_OPTION_ARG_NONE, &flags->smoke,
      "start the model once; a failed start fails the import", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "import",
    .usage = "FILE [owner/name]",
    .summary
    = "Makes a version, with the same id, from a file of 'vend export'. Needs no network.\n"
      "'vend import replicate' reads the models of another server.",
    .details = "Without owner/name the model has the name that it had where it was exported.\n"
               "The log goes to stderr; the last line of stdout is owner/name:VERSION.",
    .entries = entries,
    .connection = &flags->connection,
    .least = 1,
    .most = 2,
  };
  if (!vend_options_parse (&options, argc, argv, out_words, error))
    return false;
  return !(flags->is_public && flags->is_private)
         || vend_fail (error, VEND_ERROR_INVALID, "--public and --private exclude each other");
}

/* The server checks it again; a wrong one is not even sent. */
static bool
check (const char *path, VendBundleManifest **out, GError **error)
{
  g_autoptr (VendSettings) settings = NULL;
  if (!vend_argument_file_check (path, error) || !vend_settings_load (NULL, &settings, error))
    return false;
  const VendBundleLimits limits = { vend_settings_bytes (settings, "max-archive"),
                                    (uint64_t) vend_settings_int (settings, "max-source-files") };
  if (vend_bundle_read (path, &limits, NULL, out, error))
    return true;
  g_prefix_error (error, "'%s': ", path);
  return false;
}

static bool
import (const Flags *flags, char **words, GError **error)
{
  g_autoptr (VendBundleManifest) manifest = NULL;
  if (!check (words[0], &manifest, error))
    return false;
  const json_t *build = json_object_get (json_object_get (manifest->pushed, "cog_yaml"), "build");
  const VendPushRequest request = { .connection = &flags->connection,
                                    .archive = words[0],
                                    .reference = words[1] != NULL ? words[1] : manifest->model,
                                    .is_public = flags->is_public,
                                    .is_private = flags->is_private,
                                    .smoke = flags->smoke,
                                    .wants_gpu = vend_json_bool (build, "gpu", false) };
  return vend_push (&request, error);
}

int
vend_cmd_import (int argc, char **argv)
{
  g_auto (Flags) flags = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;
  const bool is_server = argc > 1 && strcmp (argv[1], "replicate") == 0;
  const bool good
      = is_server ? vend_import_replicate (argc - 1, argv + 1, &error)
                  : parse (argc, argv, &flags, &words, &error) && import (&flags, words, &error);
  return vend_exit_code (good, error);
}
