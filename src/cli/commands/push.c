/* One push: pack, make the model, ask for a build, follow it. Main thread only. */
#include "cli/commands/push.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "cli/arguments/arguments.h"
#include "cli/client/upload.h"
#include "cli/commands/build-log.h"
#include "cli/commands/source.h"
#include "cli/terminal/terminal.h"
#include "model/model.h"
#include <string.h>

#define DEFAULT_HARDWARE "cpu"
#define MAX_TRIES 4
#define RETRY_WAIT_US (500 * VEND_US_PER_MS)
/* For a canceled build to end. */
#define MAX_REMOVALS 20
#define REMOVAL_WAIT_US (250 * VEND_US_PER_MS)

typedef struct
{
  const VendPushRequest *request;
  VendClient *client;
  VendInterrupt *interrupt;
  const char *owner;
  const char *name;
  const char *model_path;
  bool wants_gpu;
  bool has_made_model;
  bool has_version;
} Push;

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
                        push->request->reference, DEFAULT_HARDWARE);
  *out = g_strdup (DEFAULT_HARDWARE);
  return true;
}

/* Makes the model when it is missing, and says so. */
static bool
ensure_model (Push *push, GError **error)
{
  json_auto_t *model = NULL;
  g_autoptr (GError) problem = NULL;
  const VendPushRequest *request = push->request;
  const char *visibility = request->is_public ? "public" : "private";
  bool is_asked = request->is_public || request->is_private;

  if (vend_client_call (push->client, "GET", push->model_path, NULL, &model, &problem))
    {
      const char *actual = vend_argument_shown (model, "visibility");
      if (is_asked && strcmp (actual, visibility) != 0)
        vend_terminal_warn ("%s exists already and stays %s", push->request->reference, actual);
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
  /* Only a private model can be taken back, and nobody else has use for an empty one. */
  json_auto_t *body = json_pack ("{s:s, s:s, s:s, s:s}", "owner", push->owner, "name", push->name,
                                 "visibility", "private", "hardware", hardware);
  if (!vend_client_call (push->client, "POST", "/v1/models", body, NULL, error))
    {
      g_prefix_error (error, "create %s: ", push->request->reference);
      return false;
    }
  push->has_made_model = true;
  vend_terminal_note ("created %s model %s on %s", visibility, push->request->reference, hardware);
  return true;
}

/* Asks for a build; the same source twice is harmless, so a lost answer is asked for again. */
static bool
ask_build (const Push *push, const char *sha256, const char *upload, json_t **out, GError **error)
{
  g_autofree char *path = g_strconcat (push->model_path, "/builds", NULL);
  json_auto_t *body = json_pack ("{s:s, s:b}", "source_sha256", sha256, "smoke_start",
                                 push->request->smoke ? 1 : 0);
  if (push->request->as_image)
    vend_json_set_bool (body, "image", true);
  if (upload != NULL)
    vend_json_set_string (body, "upload", upload);
  if (push->request->archive != NULL)
    vend_json_set_bool (body, "import", true);

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
make_build (Push *push, const VendSource *source, json_t **out, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (VendProgress) progress = vend_progress_new ();
  g_autofree char *upload = NULL;
  g_autofree char *size = g_format_size (source->size);

  const bool is_import = push->request->archive != NULL;
  if (!is_import && ask_build (push, source->sha256, NULL, out, &problem))
    {
      if (vend_build_log_is_over (*out))
        vend_terminal_note ("the server has built this source already");
      return true;
    }
  if (!is_import && !g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  const VendUploadSource upload_source
      = { source->fd, source->size, source->sha256, push->interrupt, progress, is_import };
  if (!vend_upload_run (&upload_source, push->client, &upload, error))
    return false;
  vend_terminal_note ("uploaded %s", size);
  g_clear_error (&problem);
  if (ask_build (push, source->sha256, upload, out, &problem))
    return true;
  if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  /* Another push had made the model, failed, and taken it back. */
  return ensure_model (push, error) && ask_build (push, source->sha256, upload, out, error);
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
show_result (Push *push, const json_t *build, GError **error)
{
  const char *status = vend_argument_shown (build, "status");
  const char *version = vend_json_string (build, "version");
  const char *text = vend_json_string (build, "error");

  if (push->request->connection->json)
    vend_terminal_json (build);
  if (strcmp (status, "succeeded") != 0)
    return vend_fail (error, VEND_ERROR_RUNNER, "the build %s%s%s", status,
                      text != NULL ? ": " : "", text != NULL ? text : "");
  if (version == NULL || !vend_is_sha256_hex (version))
    return vend_fail (error, VEND_ERROR_INTERNAL, "the build succeeded without a version");
  push->has_version = true;
  if (!push->request->connection->json)
    vend_terminal_print ("%s:%s\n", push->request->reference, version);
  return true;
}

static bool
open_source (const VendPushRequest *request, VendSource *out, GError **error)
{
  if (request->archive == NULL)
    return vend_source_pack (request->dir, request->as_image, out, error);
  out->wants_gpu = request->wants_gpu;
  return vend_source_open (request->archive, out, error);
}

/* Of another push, which was sooner. */
static bool
has_version_now (const Push *push)
{
  json_auto_t *model = NULL;
  g_autoptr (GError) ignored = NULL;
  return vend_client_call (push->client, "GET", push->model_path, NULL, &model, &ignored)
         && json_is_object (json_object_get (model, "latest_version"));
}

/* A failed push leaves no model without a version. The server keeps one that has got a version or
 * a build from somebody else meanwhile. */
static void
take_model_back (const Push *push)
{
  const char *reference = push->request->reference;
  if (!push->has_made_model || push->has_version)
    return;
  vend_client_set_interrupt (push->client, NULL);
  for (guint i = 1;; i++)
    {
      g_autoptr (GError) problem = NULL;
      if (vend_client_call (push->client, "DELETE", push->model_path, NULL, NULL, &problem))
        {
          vend_terminal_note ("removed %s again", reference);
          return;
        }
      if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND) || has_version_now (push))
        return;
      if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_CONFLICT) || i == MAX_REMOVALS)
        {
          vend_terminal_warn (
              "the model %s stays, without a version of this push (%s); 'vend models "
              "delete %s' deletes it",
              reference, problem->message, reference);
          return;
        }
      g_usleep (REMOVAL_WAIT_US);
    }
}

static bool
publish_model (const Push *push, GError **error)
{
  if (!push->has_made_model || !push->request->is_public)
    return true;
  json_auto_t *body = json_pack ("{s:s}", "visibility", "public");
  return vend_client_call (push->client, "PATCH", push->model_path, body, NULL, error);
}

bool
vend_push (const VendPushRequest *request, GError **error)
{
  g_autofree char *model_path = NULL, *owner = NULL, *name = NULL, *version = NULL;
  g_auto (VendSource) source = VEND_SOURCE_INIT;
  if (!vend_argument_model_path (request->reference, &model_path, error)
      || !vend_reference_parse (request->reference, &owner, &name, &version, error)
      || !open_source (request, &source, error))
    return false;

  g_autoptr (VendInterrupt) interrupt = vend_interrupt_new ();
  g_autoptr (VendClient) client = NULL;
  json_auto_t *started = NULL;
  json_auto_t *build = NULL;
  if (!vend_client_new (request->connection, &client, error))
    return false;
  vend_client_set_interrupt (client, interrupt);
  Push push
      = { request, client, interrupt, owner, name, model_path, source.wants_gpu, false, false };
  const bool good = ensure_model (&push, error) && make_build (&push, &source, &started, error)
                    && finish_build (&push, started, &build, error)
                    && show_result (&push, build, error) && publish_model (&push, error);
  if (!good)
    take_model_back (&push);
  return good;
}
