/* `vend push`: a directory becomes a version. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/commands/build-log.h"
#include "cli/commands/source.h"
#include "cli/client/upload.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "model/model.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

#define DEFAULT_HARDWARE "cpu"
#define MAX_TRIES 4
#define RETRY_WAIT_US (500 * VEND_US_PER_MS)

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

typedef struct
{
  const Flags *flags;
  VendClient *client;
  VendInterrupt *interrupt;
  const char *reference; /* "owner/name" */
  const char *owner;
  const char *name;
  const char *model_path;
  bool wants_gpu;
} Push;

static bool
parse (int argc, char **argv, Flags *flags, GStrv *out_words, GError **error)
{
  const GOptionEntry entries[] = {
    { "private", 0, 0, G_OPTION_ARG_NONE, &flags->is_private,
      "for a new model: only the owner may run the model (default)", NULL },
    { "public", 0, 0, G_OPTION_ARG_NONE, &flags->is_public,
      "for a new model: every account may run the model", NULL },
    { "smoke", 0, 0, G_OPTION_ARG_NONE, &flags->smoke,
      "start the model once; a failed start fails the build", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "push",
    .usage = "[DIR] owner/name",
    .summary = "Builds a version of a model from a directory with a cog.yaml.",
    .details = "The build log goes to stderr; the last line of stdout is owner/name:VERSION.\n"
               "A source that the server has built already is neither uploaded nor built again.",
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

/* The first kind of hardware with GPUs for those that want one, `cpu` for all others. */
static bool
choose_hardware (const Push *push, char **out, GError **error)
{
  json_auto_t *kinds = NULL;
  int status = 0;
  size_t i;
  json_t *kind;
  if (push->wants_gpu
      && !vend_client_send (push->client, "GET", "/v1/hardware", NULL, &status, &kinds, error))
    return false;
  json_array_foreach (kinds, i, kind)
    if (vend_json_int (kind, "gpus", 0) > 0 && vend_json_string (kind, "sku") != NULL)
      {
        *out = g_strdup (vend_json_string (kind, "sku"));
        return true;
      }
  if (push->wants_gpu)
    vend_terminal_warn ("cog.yaml says build.gpu: true, but the server has no hardware with GPUs; "
                        "%s is made for %s",
                        push->reference, DEFAULT_HARDWARE);
  *out = g_strdup (DEFAULT_HARDWARE);
  return true;
}

/* Makes the model when it is missing, and says so. */
static bool
ensure_model (const Push *push, GError **error)
{
  json_auto_t *model = NULL;
  g_autoptr (GError) problem = NULL;
  const char *visibility = push->flags->is_public ? "public" : "private";
  bool is_asked = push->flags->is_public || push->flags->is_private;

  if (vend_client_call (push->client, "GET", push->model_path, NULL, &model, &problem))
    {
      const char *actual = vend_argument_shown (model, "visibility");
      if (is_asked && strcmp (actual, visibility) != 0)
        vend_terminal_warn ("%s exists already and stays %s", push->reference, actual);
      return true;
    }
  if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  g_autofree char *hardware = NULL;
  if (!choose_hardware (push, &hardware, error))
    return false;
  json_auto_t *body = json_pack ("{s:s, s:s, s:s, s:s}", "owner", push->owner, "name", push->name,
                                 "visibility", visibility, "hardware", hardware);
  if (!vend_client_call (push->client, "POST", "/v1/models", body, NULL, error))
    {
      g_prefix_error (error, "create %s: ", push->reference);
      return false;
    }
  vend_terminal_note ("created %s model %s on %s", visibility, push->reference, hardware);
  return true;
}

/* Asks for a build; the same source twice is harmless, so a lost answer is asked for again. */
static bool
ask_build (const Push *push, const char *sha256, const char *upload, json_t **out, GError **error)
{
  g_autofree char *path = g_strconcat (push->model_path, "/builds", NULL);
  json_auto_t *body = json_pack ("{s:s, s:b}", "source_sha256", sha256, "smoke_start",
                                 push->flags->smoke ? 1 : 0);
  if (upload != NULL)
    vend_json_set_string (body, "upload", upload);

  for (guint i = 1;; i++)
    {
      g_autoptr (GError) problem = NULL;
      if (vend_client_call (push->client, "POST", path, body, out, &problem))
        return true;
      if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_UNAVAILABLE) || i == MAX_TRIES)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
      if (vend_interrupt_wait (push->interrupt, RETRY_WAIT_US * i))
        return vend_fail (error, VEND_ERROR_CANCELED, "interrupted");
    }
}

/* A build of the source: known already, or of what is uploaded now. */
static bool
make_build (const Push *push, const VendSource *source, json_t **out, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (VendProgress) progress = vend_progress_new ();
  g_autofree char *upload = NULL;
  g_autofree char *size = g_format_size (source->size);

  if (ask_build (push, source->sha256, NULL, out, &problem))
    return true;
  if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  const VendUploadSource upload_source
      = { source->fd, source->size, source->sha256, push->interrupt, progress };
  if (!vend_upload_run (&upload_source, push->client, &upload, error))
    return false;
  vend_terminal_note ("uploaded %s", size);
  return ask_build (push, source->sha256, upload, out, error);
}

/* After Ctrl-C; the next one ends the process at once. */
static void
cancel_build (const Push *push, const char *id)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *path = g_strdup_printf ("/v1/builds/%s/cancel", id);
  vend_client_set_interrupt (push->client, NULL);
  vend_interrupt_release (push->interrupt);
  if (!vend_client_call (push->client, "POST", path, NULL, NULL, &problem))
    vend_terminal_warn ("build %s is not canceled: %s", id, problem->message);
}

static bool
finish_build (const Push *push, json_t *started, json_t **out, GError **error)
{
  const char *id = vend_json_string (started, "id");
  if (vend_build_log_is_over (started))
    {
      *out = json_incref (started);
      return true;
    }
  if (id == NULL)
    return vend_fail (error, VEND_ERROR_INTERNAL, "the server started a build without id");

  g_autoptr (GError) problem = NULL;
  if (vend_build_log_follow (push->client, push->interrupt, id, out, &problem))
    return true;
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_CANCELED))
    {
      cancel_build (push, id);
      g_prefix_error (&problem, "build %s canceled: ", id);
    }
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

static bool
show_result (const Push *push, const json_t *build, GError **error)
{
  const char *status = vend_argument_shown (build, "status");
  const char *version = vend_json_string (build, "version");
  const char *text = vend_json_string (build, "error");

  if (push->flags->connection.json)
    vend_terminal_json (build);
  if (strcmp (status, "succeeded") != 0)
    return vend_fail (error, VEND_ERROR_RUNNER, "the build %s%s%s", status,
                      text != NULL ? ": " : "", text != NULL ? text : "");
  if (version == NULL || !vend_is_sha256_hex (version))
    return vend_fail (error, VEND_ERROR_INTERNAL, "the build succeeded without a version");
  if (!push->flags->connection.json)
    vend_terminal_print ("%s:%s\n", push->reference, version);
  return true;
}

static bool
push_model (const Flags *flags, char **words, GError **error)
{
  bool has_dir = words[1] != NULL;
  const char *dir = has_dir ? words[0] : ".";
  const char *reference = has_dir ? words[1] : words[0];
  g_autofree char *model_path = NULL, *owner = NULL, *name = NULL, *version = NULL;
  g_auto (VendSource) source = VEND_SOURCE_INIT;
  if (!vend_argument_model_path (reference, &model_path, error)
      || !vend_reference_parse (reference, &owner, &name, &version, error)
      || !vend_source_pack (dir, &source, error))
    return false;

  g_autoptr (VendInterrupt) interrupt = vend_interrupt_new ();
  g_autoptr (VendClient) client = NULL;
  json_auto_t *started = NULL;
  json_auto_t *build = NULL;
  if (!vend_client_new (&flags->connection, &client, error))
    return false;
  vend_client_set_interrupt (client, interrupt);
  const Push push
      = { flags, client, interrupt, reference, owner, name, model_path, source.wants_gpu };
  return ensure_model (&push, error) && make_build (&push, &source, &started, error)
         && finish_build (&push, started, &build, error) && show_result (&push, build, error);
}

int
vend_cmd_push (int argc, char **argv)
{
  g_auto (Flags) flags = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;
  bool good = parse (argc, argv, &flags, &words, &error) && push_model (&flags, words, &error);
  return vend_exit_code (good, error);
}
