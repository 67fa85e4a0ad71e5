/* `vend export`: one version of a model, with all that it needs, in one file. Main thread only. */
#include "cli/commands.h"
#include "base/error.h"
#include "base/fd.h"
#include "build/bundle-read.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/commands/build-log.h"
#include "cli/commands/version-id.h"
#include "cli/terminal/terminal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

typedef struct
{
  VendConnection connection;
  gboolean force;
} Flags;

static void
flags_clear (Flags *flags)
{
  vend_connection_clear (&flags->connection);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flags, flags_clear)

typedef struct
{
  int fd;
  uint64_t size;
  VendProgress *progress;
  GError *error;
} Receiving;

static bool
parse (int argc, char **argv, Flags *flags, GStrv *out_words, GError **error)
{
  const GOptionEntry entries[] = {
    { "force", 'f', 0, G_OPTION_ARG_NONE, &flags->force, "replace FILE when it is there", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "export",
    .usage = "owner/name[:ID] FILE",
    .summary
    = "Writes a version of your model to one file: source, packages, weights, readme, cover\n"
      "and examples. 'vend import' makes the same version of it on another server.",
    .details
    = "ID is the id of a version or its beginning, at least 8 characters; without one it is "
      "the latest version.",
    .entries = entries,
    .connection = &flags->connection,
    .least = 2,
    .most = 2,
  };
  return vend_options_parse (&options, argc, argv, out_words, error);
}

/* ---- The archive on the server */

static void
cancel (VendClient *client, VendInterrupt *interrupt, const char *id)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *path = g_strdup_printf ("/v1/builds/%s/cancel", id);
  vend_client_set_interrupt (client, NULL);
  vend_interrupt_release (interrupt);
  if (!vend_client_call (client, "POST", path, NULL, NULL, &problem))
    vend_terminal_warn ("export %s is not canceled: %s", id, problem->message);
}

static bool
check_end (const json_t *build, GError **error)
{
  const char *status = vend_argument_shown (build, "status");
  return g_strcmp0 (status, "succeeded") == 0
         || vend_fail (error, VEND_ERROR_RUNNER, "the export %s: %s", status,
                       vend_argument_shown (build, "error"));
}

static bool
make (VendClient *client, VendInterrupt *interrupt, const char *version_path, json_t **out,
      GError **error)
{
  json_auto_t *started = NULL;
  json_auto_t *ended = NULL;
  g_autoptr (GError) problem = NULL;
  g_autofree char *path = g_strconcat (version_path, "/exports", NULL);
  if (!vend_client_call (client, "POST", path, NULL, &started, error))
    return false;
  const char *id = vend_json_string (started, "id");
  if (id == NULL)
    return vend_fail (error, VEND_ERROR_INTERNAL, "the server started an export without id");
  if (!vend_build_log_follow (client, interrupt, id, &ended, &problem))
    {
      if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_CANCELED))
        cancel (client, interrupt, id);
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  if (!check_end (ended, error))
    return false;
  *out = g_steal_pointer (&ended);
  return true;
}

/* ---- The file here */

static bool
receive (const char *data, gsize size, void *user)
{
  Receiving *receiving = user;
  if (!vend_fd_write_all (receiving->fd, data, size, &receiving->error))
    return false;
  receiving->size += size;
  if (vend_progress_is_due (receiving->progress))
    {
      g_autofree char *shown = g_format_size (receiving->size);
      vend_progress_show (receiving->progress, "downloading %s", shown);
    }
  return true;
}

static bool
download (VendClient *client, const char *path, int fd, GError **error)
{
  g_autoptr (VendProgress) progress = vend_progress_new ();
  g_autoptr (GError) problem = NULL;
  Receiving receiving = { fd, 0, progress, NULL };
  const bool good = vend_client_read (client, path, receive, &receiving, &problem);
  vend_progress_clear (progress);
  if (receiving.error != NULL)
    g_propagate_error (error, receiving.error);
  else if (!good)
    g_propagate_error (error, g_steal_pointer (&problem));
  else if (fsync (fd) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync the archive");
  return good && receiving.error == NULL;
}

/* Under another name until every byte was checked. */
static bool
save (VendClient *client, const char *path, const char *file, GError **error)
{
  static const VendBundleLimits none = { G_MAXUINT64, G_MAXUINT64 };
  g_autoptr (VendBundleManifest) manifest = NULL;
  g_autofree char *temporary = g_strconcat (file, ".XXXXXX", NULL);
  vend_autofd fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_INVALID, errno, "create '%s'", temporary);
  bool good = download (client, path, fd, error)
              && vend_bundle_read (temporary, &none, NULL, &manifest, error);
  if (good && rename (temporary, file) < 0)
    good = vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "rename to '%s'", file);
  if (!good)
    unlink (temporary);
  return good;
}

static void
show (const Flags *flags, const json_t *build, const char *file)
{
  const char *model = vend_argument_shown (build, "model");
  const char *version = vend_argument_shown (build, "version");
  struct stat st = { 0 };
  if (stat (file, &st) < 0)
    st.st_size = 0;
  if (flags->connection.json)
    {
      json_auto_t *object = json_pack ("{s:s, s:s, s:s, s:I}", "model", model, "version", version,
                                       "file", file, "size", (json_int_t) st.st_size);
      vend_terminal_json (object);
      return;
    }
  g_autofree char *size = g_format_size ((guint64) st.st_size);
  vend_terminal_note ("wrote %s, %s", file, size);
  vend_terminal_print ("%s:%s\n", model, version);
}

static bool export (const Flags *flags, char **words, GError **error)
{
  g_autofree char *version_path = NULL;
  g_autoptr (VendInterrupt) interrupt = vend_interrupt_new ();
  g_autoptr (VendClient) client = NULL;
  g_autoptr (GError) ignored = NULL;
  json_auto_t *build = NULL;
  if (!flags->force && g_file_test (words[1], G_FILE_TEST_EXISTS))
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' is there already; --force replaces it",
                      words[1]);
  if (!vend_client_new (&flags->connection, &client, error))
    return false;
  vend_client_set_interrupt (client, interrupt);
  if (!vend_version_path_find (client, words[0], &version_path, error)
      || !make (client, interrupt, version_path, &build, error))
    return false;
  g_autofree char *path
      = g_strdup_printf ("/v1/builds/%s/archive", vend_argument_shown (build, "id"));
  if (!save (client, path, words[1], error))
    return false;
  /* A day later the server removes it by itself. */
  (void) !vend_client_call (client, "DELETE", path, NULL, NULL, &ignored);
  show (flags, build, words[1]);
  return true;
}

int
vend_cmd_export (int argc, char **argv)
{
  g_auto (Flags) flags = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;
  const bool good = parse (argc, argv, &flags, &words, &error) && export (&flags, words, &error);
  return vend_exit_code (good, error);
}
