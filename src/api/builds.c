/* Builds: start, look, follow the log, cancel. */
#include "api/api-private.h"
#include "api/create.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/id.h"
#include "store/files.h"
#include "store/models.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define NO_ARCHIVE \
  "There is no archive: the build is no export of yours, it failed, or its archive was removed " \
  "after a day. Export the version again."

static VendReply *
show (VendCall *call, int status, const VendBuild *build, const VendModel *model)
{
  g_autofree char *name = g_strdup_printf ("%s/%s", model->owner, model->name);
  return vend_reply_json (status, vend_build_to_json (build, name, vend_call_origin (call)));
}

/* The same source again: nothing to build. */
static bool
reuse (VendApi *api, VendCall *call, const VendModel *model, VendVersion *version, VendReply **out,
       GError **error)
{
  if (!vend_builds_reuse (api->parts.builds, version, error))
    return false;
  if (g_strcmp0 (model->latest_version, version->id) != 0)
    vend_sched_model_changed (api->parts.sched, model->id, NULL, NULL);
  VendBuild build = { .id = (char *) "",
                      .status = (char *) "succeeded",
                      .version = version->id,
                      .source_sha256 = version->source_sha256,
                      .created_us = version->created_us,
                      .completed_us = version->created_us };
  *out = show (call, 200, &build, model);
  return true;
}

static bool
insert (VendDb *db, void *data, GError **error)
{
  return vend_store_build_insert (db, data, error);
}

static bool
check_upload (VendApi *api, VendDb *db, const VendCaller *caller, const char *id,
              const char *source_sha256, GError **error)
{
  g_autoptr (VendUpload) upload = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_store_upload_get (db, id, &upload, &problem)
      || upload->account_id != caller->account->id)
    return vend_fail (error, VEND_ERROR_INVALID, "upload: there is no upload '%.64s'", id);
  if (strcmp (upload->sha256, source_sha256) != 0)
    return vend_fail (error, VEND_ERROR_INVALID, "source_sha256: the upload has another SHA-256");
  if (!vend_builds_upload_is_complete (api->parts.builds, upload))
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "upload: not complete yet; send the remaining bytes first");
  return true;
}

static bool
start (VendApi *api, VendCall *call, const VendCaller *caller, const VendModel *model,
       VendBuild *build, VendReply **out, GError **error)
{
  build->id = vend_id_new ();
  build->account_id = caller->account->id;
  build->model_id = model->id;
  build->status = g_strdup ("queued");
  build->created_us = vend_now_us ();
  if (!vend_store_write_wait (api->parts.store, insert, build, error))
    return false;
  *out = show (call, 201, build, model);
  vend_builds_start (api->parts.builds, build);
  return true;
}

static bool
create_build (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  const char *upload = NULL, *sha256 = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendVersion) known = NULL;
  g_autoptr (GError) problem = NULL;
  g_autoptr (VendBuild) build = NULL;
  if (!vend_api_object (call, &body, error)
      || !vend_api_text (body, "source_sha256", 64, &sha256, error)
      || !vend_api_optional_text (body, "upload", 64, &upload, error))
    return false;
  if (!vend_is_sha256_hex (sha256))
    return vend_fail (error, VEND_ERROR_INVALID, "source_sha256: expected 64 hex characters");
  const bool is_import = vend_json_bool (body, VEND_BUILD_IMPORT, false);
  if (is_import && upload == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "upload: an import needs the uploaded archive");
  const bool is_image = vend_json_bool (body, VEND_BUILD_IMAGE, false);
  if (is_image && (is_import || vend_json_bool (body, "smoke_start", false)))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "image: cannot be set together with import or smoke_start");
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_own_model (api, reader.db, call, caller, &model, error))
      return false;
    /* An image is built each time: what it is built on and installs may have changed. */
    bool found = !is_import && !is_image
                 && vend_store_version_by_source (reader.db, model->id, sha256, &known, &problem);
    if (found && !vend_builds_may_reuse (api->parts.builds, known->id))
      {
        g_clear_pointer (&known, vend_version_free);
        found = false;
      }
    if (!found && upload == NULL)
      return vend_api_not_found (error);
    if (!found && !check_upload (api, reader.db, caller, upload, sha256, error))
      return false;
  }
  if (known != NULL)
    return reuse (api, call, model, known, out, error);

  build = g_new0 (VendBuild, 1);
  build->upload = g_strdup (upload);
  build->source_sha256 = g_strdup (sha256);
  build->options = json_pack ("{s:b, s:b, s:b, s:b}", "smoke_start",
                              vend_json_bool (body, "smoke_start", false), "any_package_host",
                              (caller->scopes & VEND_SCOPE_ADMIN) != 0, VEND_BUILD_IMPORT,
                              is_import, VEND_BUILD_IMAGE, is_image);
  return start (api, call, caller, model, build, out, error);
}

/* ---- Exports */

/* A build in all but its result, which is an archive of a version that is there. */
static bool
create_export (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendVersion) version = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_own_model (api, reader.db, call, caller, &model, error)
        || !vend_store_version_get (reader.db, model->id, vend_call_param (call, "id"), &version,
                                    error)
        || !vend_api_check_own_source (version, error))
      return false;
  }
  if (version->image != NULL)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "version: %s is an image; pull it from the registry instead", version->id);
  g_autoptr (VendBuild) build = g_new0 (VendBuild, 1);
  build->upload = g_strdup ("");
  build->source_sha256 = g_strdup ("");
  build->options = json_pack ("{s:s}", VEND_BUILD_EXPORT, version->id);
  return start (api, call, caller, model, build, out, error);
}

static bool
load_own (VendApi *api, VendCall *call, const VendCaller *caller, VendBuild **out_build,
          VendModel **out_model, GError **error)
{
  g_autoptr (VendBuild) build = NULL;
  g_autoptr (VendModel) model = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_build_get (reader.db, vend_call_param (call, "id"), &build, error)
      || !vend_store_model_get (reader.db, build->model_id, &model, error))
    return false;
  if (build->account_id != caller->account->id)
    return vend_api_not_found (error);
  if (build->completed_us == 0 && vend_builds_is_running (api->parts.builds, build->id))
    {
      g_free (build->status);
      build->status = g_strdup ("running");
    }
  *out_build = g_steal_pointer (&build);
  *out_model = g_steal_pointer (&model);
  return true;
}

static bool
get_build (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendBuild) build = NULL;
  g_autoptr (VendModel) model = NULL;
  if (!load_own (api, call, caller, &build, &model, error))
    return false;
  *out = show (call, 200, build, model);
  return true;
}

static bool
get_log (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendBuild) build = NULL;
  g_autoptr (VendModel) model = NULL;
  VendStream *stream = NULL;
  if (!load_own (api, call, caller, &build, &model, error))
    return false;
  g_autoptr (VendReply) reply = vend_reply_stream (200, "text/plain; charset=utf-8", &stream);
  vend_reply_header (reply, "Cache-Control", "no-store");
  vend_builds_follow (api->parts.builds, build->id, stream);
  *out = g_steal_pointer (&reply);
  return true;
}

static bool
cancel_build (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendBuild) build = NULL;
  g_autoptr (VendModel) model = NULL;
  if (!load_own (api, call, caller, &build, &model, error))
    return false;
  vend_builds_cancel (api->parts.builds, build->id);
  *out = show (call, 200, build, model);
  return true;
}

static bool
load_archive (VendApi *api, VendCall *call, const VendCaller *caller, char **out_path,
              GError **error)
{
  g_autoptr (VendBuild) build = NULL;
  g_autoptr (VendModel) model = NULL;
  if (!load_own (api, call, caller, &build, &model, error))
    return false;
  if (vend_json_string (build->options, VEND_BUILD_EXPORT) == NULL)
    return vend_api_not_found (error);
  if (build->completed_us == 0)
    return vend_fail (error, VEND_ERROR_CONFLICT, "the export has not ended yet");
  if (build->version == NULL)
    return vend_api_not_found (error);
  *out_path = vend_builds_archive_path (api->parts.builds, build);
  return true;
}

static bool
get_archive (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autofree char *path = NULL;
  struct stat st;
  if (!load_archive (api, call, caller, &path, error))
    return false;
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || fstat (fd, &st) < 0)
    return vend_api_not_found (error);
  *out = vend_reply_file (vend_fd_steal (&fd), (uint64_t) st.st_size, "application/zstd",
                          vend_call_param (call, "id"));
  vend_reply_header (*out, "Cache-Control", "no-store");
  return true;
}

static bool
delete_archive (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autofree char *path = NULL;
  if (!load_archive (api, call, caller, &path, error))
    return false;
  if (unlink (path) < 0 && errno != ENOENT)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove the archive");
  *out = vend_reply_empty (204);
  return true;
}

const ApiRoute vend_api_build_routes[] = {
  { "POST", "/v1/models/{owner}/{name}/versions/{id}/exports", VEND_SCOPE_PUSH, VEND_BODY_NONE,
    create_export, NULL },
  { "GET", "/v1/builds/{id}/archive", VEND_SCOPE_PUSH, VEND_BODY_NONE, get_archive, NULL,
    .missing = NO_ARCHIVE },
  { "DELETE", "/v1/builds/{id}/archive", VEND_SCOPE_PUSH, VEND_BODY_NONE, delete_archive, NULL,
    .missing = NO_ARCHIVE },
  { "POST", "/v1/models/{owner}/{name}/builds", VEND_SCOPE_PUSH, VEND_BODY_BUFFER, create_build,
    NULL },
  { "GET", "/v1/builds/{id}", VEND_SCOPE_PUSH, VEND_BODY_NONE, get_build, NULL },
  { "GET", "/v1/builds/{id}/log", VEND_SCOPE_PUSH, VEND_BODY_NONE, get_log, NULL,
    .runs_on = VEND_RUN_READ },
  { "POST", "/v1/builds/{id}/cancel", VEND_SCOPE_PUSH, VEND_BODY_NONE, cancel_build, NULL,
    .runs_on = VEND_RUN_AT_ONCE },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
