/* Changes of the registry: uploads, blobs, manifests, tags. */
#include "api/registry-request.h"
#include "base/error.h"
#include "store/models.h"
#include "store/registry.h"
#include <string.h>

static VendReply *
created (const VendRepositoryName *repository, const char *kind, const char *digest)
{
  VendReply *reply = vend_reply_empty (201);
  g_autofree char *location = vend_oci_location (repository, "%s/%s", kind, digest);
  vend_reply_header (reply, "Location", location);
  vend_reply_header (reply, "Docker-Content-Digest", digest);
  return reply;
}

/* ---- Uploads */

static VendReply *
begin_upload (const OciBody *body)
{
  g_autofree char *id = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_registry_begin_upload (body->request.api->parts.registry, &body->place, &id, &error))
    return vend_oci_refuse_error (VEND_OCI_NAME_UNKNOWN, error);
  VendReply *reply = vend_reply_empty (202);
  vend_oci_show_upload (&body->request, reply, id, 0);
  return reply;
}

/* The repository that the query names, when it is one of the account; 0 otherwise. */
static int64_t
find_repository (const OciBody *body, VendDb *db, const char *from)
{
  g_auto (VendRepositoryName) name = { 0 };
  g_autoptr (VendModel) model = NULL;
  int64_t repository = 0;
  if (!vend_repository_name_parse (from, &name, NULL)
      || !vend_store_model_by_name (db, name.owner, name.name, &model, NULL)
      || model->account_id != body->request.caller->account->id
      || !vend_store_repository_find (db, model->id, name.path, &repository, NULL))
    return 0;
  return repository;
}

static bool
find_blob (const OciBody *body, const char *digest, VendRegistryBlob **out)
{
  const char *from = vend_call_query (body->request.call, "from");
  g_auto (VendReader) reader = vend_reader (body->request.api->parts.store);
  if (from == NULL)
    return vend_store_registry_blob_find (reader.db, body->request.caller->account->id, digest, out,
                                          NULL);
  const int64_t repository = find_repository (body, reader.db, from);
  return repository != 0 && vend_store_registry_blob_get (reader.db, repository, digest, out, NULL);
}

/* What cannot be mounted is uploaded instead. */
static VendReply *
mount (const OciBody *body, const char *digest)
{
  g_autoptr (VendRegistryBlob) blob = NULL;
  g_autoptr (GError) error = NULL;
  if (!find_blob (body, digest, &blob))
    return begin_upload (body);
  if (vend_registry_mount (body->request.api->parts.registry, &body->place, blob, &error))
    return created (&body->request.path.repository, "blobs", digest);
  return g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND)
             ? begin_upload (body)
             : vend_oci_refuse_error (VEND_OCI_DENIED, error);
}

static VendReply *
finish_upload (const OciBody *body)
{
  const char *digest = vend_call_query (body->request.call, "digest");
  g_autoptr (GError) error = NULL;
  if (!vend_registry_finish_upload (body->request.api->parts.registry, &body->place, body->upload,
                                    body->has_row, body->turn, digest, &error))
    return vend_oci_refuse_error (VEND_OCI_DIGEST_INVALID, error);
  return created (&body->request.path.repository, "blobs", digest);
}

bool
vend_oci_post (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  const OciBody *body = vend_call_sink (call);
  const char *digest = vend_call_query (call, "mount");
  if (body->turn != NULL)
    *out = finish_upload (body);
  else
    *out = digest != NULL ? mount (body, digest) : begin_upload (body);
  return true;
}

bool
vend_oci_patch (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  const OciBody *body = vend_call_sink (call);
  *out = vend_reply_empty (202);
  vend_oci_show_upload (&body->request, *out, body->upload, vend_blob_turn_size (body->turn));
  return true;
}

/* ---- Manifests */

/* Clients show these to whoever pushes. */
static void
warn (VendReply *reply, const char *text)
{
  g_autofree char *warning = g_strdup_printf ("299 - \"%s\"", text);
  vend_reply_header (reply, "Warning", warning);
}

static void
tell_version (const OciBody *body, VendReply *reply, const VendManifestPushed *pushed)
{
  if (pushed->version == NULL && pushed->is_image)
    warn (reply, "the image is stored and is no version of the model: it has no labels of Cog, or "
                 "is not for linux/amd64");
  if (pushed->version == NULL)
    return;
  vend_reply_header (reply, "Vend-Version", pushed->version);
  const char *why = vend_sched_why_no_images (body->request.api->parts.sched);
  if (why != NULL)
    {
      g_autofree char *text = g_strdup_printf ("the image is a version of the model: %s", why);
      warn (reply, text);
    }
  vend_sched_model_changed (body->request.api->parts.sched, body->request.model->id, NULL, NULL);
}

/* The tag of the path, or those of the query. */
static VendReply *
find_tags (const OciBody *body, GPtrArray *tags)
{
  const VendRegistryPath *path = &body->request.path;
  const char *tag = NULL;
  if (!path->is_digest)
    g_ptr_array_add (tags, path->reference);
  for (guint i = 0;
       path->is_digest && (tag = vend_call_query_at (body->request.call, "tag", i)) != NULL; i++)
    {
      if (!vend_tag_is_valid (tag))
        return vend_oci_refuse (VEND_OCI_MANIFEST_INVALID, "tag: '%.150s' is no tag", tag);
      g_ptr_array_add (tags, (char *) tag);
    }
  return NULL;
}

static VendReply *
put_manifest (const OciBody *body)
{
  const VendRegistryPath *path = &body->request.path;
  g_auto (VendManifestPushed) pushed = { 0 };
  g_autoptr (GError) error = NULL;
  VendOciCode code = VEND_OCI_MANIFEST_INVALID;
  g_autoptr (GPtrArray) tags = g_ptr_array_new ();
  VendReply *refusal = find_tags (body, tags);
  if (refusal != NULL)
    return refusal;
  const VendManifestPush push
      = { .place = body->place,
          .tags = tags,
          .digest = path->is_digest ? path->reference : NULL,
          .content_type = vend_call_header (body->request.call, "Content-Type"),
          .text = (const char *) body->text->data,
          .size = body->text->len };
  if (body->text->len == 0)
    return vend_oci_refuse (VEND_OCI_MANIFEST_INVALID, "the request has no body");
  if (!vend_registry_put_manifest (body->request.api->parts.registry, &push, &pushed, &code,
                                   &error))
    return vend_oci_refuse_error (code, error);
  VendReply *reply = created (&path->repository, "manifests", pushed.digest);
  if (pushed.subject != NULL)
    vend_reply_header (reply, "OCI-Subject", pushed.subject);
  for (guint i = 0; path->is_digest && i < tags->len; i++)
    vend_reply_header (reply, "OCI-Tag", g_ptr_array_index (tags, i));
  tell_version (body, reply, &pushed);
  return reply;
}

bool
vend_oci_put (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  const OciBody *body = vend_call_sink (call);
  *out = body->turn != NULL ? finish_upload (body) : put_manifest (body);
  return true;
}

/* ---- Delete */

static VendReply *
done (bool good, int status, VendOciCode missing, const GError *error)
{
  return good ? vend_reply_empty (status) : vend_oci_refuse_error (missing, error);
}

static VendReply *
cancel_upload (const OciRequest *request)
{
  g_autoptr (GError) error = NULL;
  VendReply *refusal = vend_oci_request_upload (request);
  if (refusal != NULL)
    return refusal;
  const bool good
      = vend_registry_cancel_upload (request->api->parts.registry, request->path.reference, &error);
  return done (good, 204, VEND_OCI_BLOB_UPLOAD_UNKNOWN, error);
}

static VendReply *
delete_manifest (const OciRequest *request)
{
  VendApi *api = request->api;
  const VendRegistryPlace place = vend_oci_request_place (request);
  const char *reference = request->path.reference;
  g_autofree char *version = NULL;
  g_autoptr (GError) error = NULL;
  const bool good = request->path.is_digest
                        ? vend_registry_delete_manifest (api->parts.registry, &place, reference,
                                                         &version, &error)
                        : vend_registry_delete_tag (api->parts.registry, &place, reference, &error);
  if (version != NULL)
    {
      vend_versions_cache_forget (api->versions);
      vend_sched_retire (api->parts.sched, request->model->id, version);
      vend_sched_model_changed (api->parts.sched, request->model->id, NULL, NULL);
    }
  return done (good, 202, VEND_OCI_MANIFEST_UNKNOWN, error);
}

static VendReply *
delete_blob (const OciRequest *request)
{
  const VendRegistryPlace place = vend_oci_request_place (request);
  g_autoptr (GError) error = NULL;
  const bool good = vend_registry_delete_blob (request->api->parts.registry, &place,
                                               request->path.reference, &error);
  return done (good, 202, VEND_OCI_BLOB_UNKNOWN, error);
}

bool
vend_oci_delete (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_auto (OciRequest) request = { 0 };
  *out = vend_oci_request_open (api, call, caller, &request);
  if (*out != NULL)
    return true;
  if (request.path.kind == VEND_REGISTRY_BLOB)
    *out = delete_blob (&request);
  else if (request.path.kind == VEND_REGISTRY_UPLOAD)
    *out = cancel_upload (&request);
  else if (request.path.kind == VEND_REGISTRY_MANIFEST)
    *out = delete_manifest (&request);
  else
    *out = vend_oci_refuse (VEND_OCI_UNSUPPORTED, "DELETE is not for this path");
  return true;
}
