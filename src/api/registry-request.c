/* Requests to the registry: what they name. */
#include "api/registry-request.h"
#include "base/error.h"
#include "store/models.h"
#include "store/registry.h"
#include <string.h>

void
vend_oci_request_clear (OciRequest *request)
{
  vend_registry_path_clear (&request->path);
  vend_model_free (request->model);
  *request = (OciRequest){ 0 };
}

/* What is not the caller's answers like what is not there. */
static VendReply *
no_model (const OciRequest *request)
{
  const VendRepositoryName *name = &request->path.repository;
  const char *username = request->caller->account->username;
  if (strcmp (name->owner, username) == 0)
    return vend_oci_refuse (VEND_OCI_NAME_UNKNOWN,
                            "there is no model %s/%s; create it with 'vend models create %s/%s'",
                            name->owner, name->name, name->owner, name->name);
  return vend_oci_refuse (VEND_OCI_NAME_UNKNOWN,
                          "there is no model %s/%s; the models of this token begin with %s/",
                          name->owner, name->name, username);
}

static VendReply *
find_model (OciRequest *request, VendDb *db)
{
  const VendRepositoryName *name = &request->path.repository;
  g_autoptr (GError) error = NULL;
  if (!vend_store_model_by_name (db, name->owner, name->name, &request->model, &error))
    return g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND)
               ? no_model (request)
               : vend_oci_refuse_error (VEND_OCI_NAME_UNKNOWN, error);
  if (!vend_api_may_see (request->model, request->caller))
    return no_model (request);
  /* An image has the source, which no other account may see either. */
  if (request->model->account_id != request->caller->account->id)
    return vend_oci_refuse (VEND_OCI_DENIED, "the model %s/%s belongs to another account",
                            name->owner, name->name);
  return NULL;
}

VendReply *
vend_oci_request_open (VendApi *api, VendCall *call, VendCaller *caller, OciRequest *out)
{
  VendOciCode code = VEND_OCI_NAME_INVALID;
  g_autoptr (GError) error = NULL;
  *out = (OciRequest){ .api = api, .call = call, .caller = caller };
  if (!vend_registry_path_parse (vend_call_param (call, "path"), &out->path, &code, &error))
    return vend_oci_refuse_error (code, error);
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  VendReply *refusal = find_model (out, reader.db);
  if (refusal == NULL
      && !vend_store_repository_find (reader.db, out->model->id, out->path.repository.path,
                                      &out->repository, &error)
      && !g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    refusal = vend_reply_error (error);
  return refusal;
}

VendRegistryPlace
vend_oci_request_place (const OciRequest *request)
{
  return (VendRegistryPlace){ request->model, request->path.repository.path };
}

VendReply *
vend_oci_request_upload (const OciRequest *request)
{
  const char *id = request->path.reference;
  g_autoptr (GError) error = NULL;
  int64_t repository = 0;
  g_auto (VendReader) reader = vend_reader (request->api->parts.store);
  if (vend_store_registry_upload_get (reader.db, id, &repository, &error)
      && repository == request->repository)
    return NULL;
  if (error != NULL && !g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return vend_reply_error (error);
  return vend_oci_refuse (VEND_OCI_BLOB_UPLOAD_UNKNOWN,
                          "there is no upload %s here; it is over, or was not continued for a day",
                          id);
}

bool
vend_oci_wants_sha512 (VendCall *call)
{
  return g_strcmp0 (vend_call_query (call, "digest-algorithm"), "sha512") == 0;
}

char *
vend_oci_location (const VendRepositoryName *repository, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *behind = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *name = vend_repository_name_text (repository);
  return g_strconcat ("/v2/", name, "/", behind, NULL);
}

void
vend_oci_show_upload (const OciRequest *request, VendReply *reply, const char *id, uint64_t size)
{
  g_autofree char *location
      = vend_oci_location (&request->path.repository, "blobs/uploads/%s%s", id,
                           vend_oci_wants_sha512 (request->call) ? "?digest-algorithm=sha512" : "");
  g_autofree char *range
      = g_strdup_printf ("0-%" G_GUINT64_FORMAT, size > 0 ? size - 1 : (uint64_t) 0);
  vend_reply_header (reply, "Location", location);
  vend_reply_header (reply, "Range", range);
  vend_reply_header (reply, "Docker-Upload-UUID", id);
}

VendReply *
vend_oci_out_of_order (const OciRequest *request, uint64_t size)
{
  g_autofree char *text = g_strdup_printf (
      "Content-Range: the upload has %" G_GUINT64_FORMAT " bytes; go on there", size);
  VendReply *reply = vend_oci_refuse_status (VEND_OCI_BLOB_UPLOAD_INVALID, 416, text);
  vend_oci_show_upload (request, reply, request->path.reference, size);
  return reply;
}
