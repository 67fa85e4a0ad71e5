/* Reads of the registry: blobs, manifests, lists, and where an upload stands. */
#include "api/registry-request.h"
#include "base/error.h"
#include "base/fd.h"
#include "registry/manifest.h"
#include "store/registry.h"
#include <string.h>

/* Entries of a list; more are behind its link. */
#define MAX_LISTED 1000
/* A pull of a large layer begins within this time, and may take any. */
#define LINK_LIFE_S 900

static VendReply *
no_blob (const OciRequest *request)
{
  return vend_oci_refuse (VEND_OCI_BLOB_UNKNOWN, "there is no blob %s here",
                          request->path.reference);
}

static VendReply *
no_manifest (const OciRequest *request)
{
  return vend_oci_refuse (VEND_OCI_MANIFEST_UNKNOWN, "there is no manifest %s here",
                          request->path.reference);
}

/* NOT_FOUND is the caller's to answer. */
static VendReply *
refuse_lookup (const OciRequest *request, const GError *error,
               VendReply *(*missing) (const OciRequest *request))
{
  return error == NULL || g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND)
             ? missing (request)
             : vend_reply_error (error);
}

static VendReply *
show_content (const OciRequest *request, const char *sha256, const char *type, const char *digest)
{
  vend_autofd fd = -1;
  uint64_t size = 0;
  g_autoptr (GError) error = NULL;
  if (!vend_api_content_open (request->api, request->call, sha256, digest, &fd, &size, &error))
    return vend_reply_error (error);
  VendReply *reply = vend_reply_file (vend_fd_steal (&fd), size, type, digest);
  vend_reply_header (reply, "Docker-Content-Digest", digest);
  vend_reply_header (reply, "X-Content-Type-Options", "nosniff");
  return reply;
}

/* Those who pull images follow redirects, and leave their token behind when the host is another. */
static VendReply *
redirect (const OciRequest *request, const VendRegistryBlob *blob)
{
  const VendApi *api = request->api;
  if (!vend_settings_bool (api->parts.settings, "files-redirect")
      || strcmp (vend_call_method (request->call), "GET") != 0)
    return NULL;
  g_autofree char *link
      = vend_blobs_link (api->parts.blobs, blob->sha256, "application/octet-stream", LINK_LIFE_S);
  if (link == NULL)
    return NULL;
  VendReply *reply = vend_reply_empty (307);
  vend_reply_header (reply, "Location", link);
  vend_reply_header (reply, "Docker-Content-Digest", blob->digest);
  vend_reply_header (reply, "Cache-Control", "no-store");
  return reply;
}

static VendReply *
get_blob (const OciRequest *request)
{
  g_autoptr (VendRegistryBlob) blob = NULL;
  g_autoptr (GError) error = NULL;
  {
    g_auto (VendReader) reader = vend_reader (request->api->parts.store);
    if (request->repository == 0
        || !vend_store_registry_blob_get (reader.db, request->repository, request->path.reference,
                                          &blob, &error))
      return refuse_lookup (request, error, no_blob);
  }
  vend_registry_use_blob (request->api->parts.registry, blob);
  VendReply *elsewhere = redirect (request, blob);
  return elsewhere != NULL
             ? elsewhere
             : show_content (request, blob->sha256, "application/octet-stream", blob->digest);
}

static VendReply *
get_manifest (const OciRequest *request)
{
  g_autoptr (VendRegistryManifest) manifest = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *tagged = NULL;
  {
    g_auto (VendReader) reader = vend_reader (request->api->parts.store);
    const char *reference = request->path.reference;
    if (request->repository == 0
        || (!request->path.is_digest
            && !vend_store_registry_tag_get (reader.db, request->repository, reference, &tagged,
                                             &error))
        || !vend_store_registry_manifest_get (
            reader.db, request->repository, tagged != NULL ? tagged : reference, &manifest, &error))
      return refuse_lookup (request, error, no_manifest);
  }
  return show_content (request, manifest->sha256, manifest->media_type, manifest->digest);
}

static VendReply *
get_upload (const OciRequest *request)
{
  VendReply *reply = vend_oci_request_upload (request);
  if (reply != NULL)
    return reply;
  VendBlobUploads *uploads = vend_registry_uploads (request->api->parts.registry);
  reply = vend_reply_empty (204);
  vend_oci_show_upload (request, reply, request->path.reference,
                        vend_blob_uploads_size (uploads, request->path.reference));
  return reply;
}

/* ---- Lists */

/* At most `n` of them are asked for; `*out_n` is how many come. */
static VendReply *
read_count (VendCall *call, int *out_n)
{
  const char *text = vend_call_query (call, "n");
  guint64 n = MAX_LISTED;
  if (text != NULL
      && (!g_ascii_isdigit (text[0])
          || !g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT, &n, NULL)))
    return vend_oci_refuse_status (VEND_OCI_UNSUPPORTED, 400, "n: expected a whole number");
  *out_n = (int) MIN (n, MAX_LISTED);
  return NULL;
}

static void
link_next (VendReply *reply, const char *location, const char *query)
{
  g_autofree char *link = g_strdup_printf ("<%s?%s>; rel=\"next\"", location, query);
  vend_reply_header (reply, "Link", link);
}

static VendReply *
get_tags (const OciRequest *request)
{
  g_autoptr (GPtrArray) tags = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  const char *last = vend_call_query (request->call, "last");
  int n = 0;
  VendReply *refusal = read_count (request->call, &n);
  if (refusal != NULL)
    return refusal;
  if (request->repository != 0)
    {
      g_auto (VendReader) reader = vend_reader (request->api->parts.store);
      g_clear_pointer (&tags, g_ptr_array_unref);
      if (!vend_store_registry_tag_list (reader.db, request->repository, last != NULL ? last : "",
                                         n + 1, &tags, &error))
        return vend_reply_error (error);
    }
  g_autofree char *name = vend_repository_name_text (&request->path.repository);
  json_t *shown = json_array ();
  const char *end = NULL;
  for (guint i = 0; i < tags->len && i < (guint) n; i++)
    {
      end = g_ptr_array_index (tags, i);
      json_array_append_new (shown, json_string (end));
    }
  VendReply *reply = vend_reply_json (200, json_pack ("{s:s, s:o}", "name", name, "tags", shown));
  if (tags->len > (guint) n && end != NULL)
    {
      g_autofree char *location = vend_oci_location (&request->path.repository, "tags/list");
      g_autofree char *query = g_strdup_printf ("n=%d&last=%s", n, end);
      link_next (reply, location, query);
    }
  return reply;
}

static VendReply *
get_referrers (const OciRequest *request)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  const char *subject = request->path.reference;
  const char *type = vend_call_query (request->call, "artifactType");
  const char *last = vend_call_query (request->call, "last");
  if (request->repository != 0)
    {
      g_auto (VendReader) reader = vend_reader (request->api->parts.store);
      g_clear_pointer (&found, g_ptr_array_unref);
      if (!vend_store_registry_referrers (reader.db, request->repository, subject, type,
                                          last != NULL ? last : "", MAX_LISTED + 1, &found, &error))
        return vend_reply_error (error);
    }
  json_t *shown = json_array ();
  const VendRegistryManifest *end = NULL;
  gsize bytes = 0;
  guint i = 0;
  /* Their annotations are of any size. */
  for (; i < found->len && i < MAX_LISTED && bytes < VEND_PAGE_BYTES; i++)
    {
      end = g_ptr_array_index (found, i);
      json_t *descriptor = vend_registry_manifest_to_json (end);
      bytes += vend_json_size (descriptor);
      json_array_append_new (shown, descriptor);
    }
  json_auto_t *index = json_pack ("{s:i, s:s, s:o}", "schemaVersion", 2, "mediaType",
                                  VEND_OCI_INDEX, "manifests", shown);
  char *text = vend_json_text (index);
  VendReply *reply = vend_reply_take (200, VEND_OCI_INDEX, text, strlen (text));
  if (type != NULL)
    vend_reply_header (reply, "OCI-Filters-Applied", "artifactType");
  if (i < found->len)
    {
      g_autofree char *location
          = vend_oci_location (&request->path.repository, "referrers/%s", subject);
      g_autofree char *escaped = type != NULL ? g_uri_escape_string (type, NULL, FALSE) : NULL;
      g_autofree char *query
          = g_strconcat ("last=", end->digest, type != NULL ? "&artifactType=" : "",
                         type != NULL ? escaped : "", NULL);
      link_next (reply, location, query);
    }
  return reply;
}

static VendReply *
answer (const OciRequest *request)
{
  switch (request->path.kind)
    {
    case VEND_REGISTRY_BLOB:
      return get_blob (request);
    case VEND_REGISTRY_UPLOAD:
      return get_upload (request);
    case VEND_REGISTRY_MANIFEST:
      return get_manifest (request);
    case VEND_REGISTRY_TAGS:
      return get_tags (request);
    case VEND_REGISTRY_REFERRERS:
      return get_referrers (request);
    case VEND_REGISTRY_UPLOADS:
    default:
      return vend_oci_refuse (VEND_OCI_UNSUPPORTED, "GET is not for this path");
    }
}

bool
vend_oci_get (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_auto (OciRequest) request = { 0 };
  *out = vend_oci_request_open (api, call, caller, &request);
  if (*out == NULL)
    *out = answer (&request);
  return true;
}
