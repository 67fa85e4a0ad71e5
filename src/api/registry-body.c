/* Pushed bytes: pieces of blobs go to their uploads as they come, manifests to memory. HTTP
 * thread. */
#include "api/registry-request.h"
#include "base/error.h"
#include "base/id.h"
#include "registry/manifest.h"
#include "store/registry.h"
#include "store/stored-bytes.h"
#include <string.h>

/* Bodies that nobody wants. */
#define IGNORED_BYTES ((uint64_t) 64 * 1024)

static void
body_free (void *state)
{
  OciBody *body = state;
  if (body == NULL)
    return;
  vend_blob_turn_free (body->turn);
  if (body->text != NULL)
    g_byte_array_unref (body->text);
  vend_oci_request_clear (&body->request);
  g_free (body->upload);
  g_free (body);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OciBody, body_free)

static VendReply *
too_large (uint64_t most)
{
  g_autofree char *text
      = g_strdup_printf ("the body must be at most %" G_GUINT64_FORMAT " bytes", most);
  return vend_oci_refuse_status (VEND_OCI_SIZE_INVALID, 413, text);
}

/* Whether the blob is here already: then it takes no room. */
static bool
is_here (const OciBody *body, VendDb *db)
{
  const char *digest = vend_call_query (body->request.call, "digest");
  g_autoptr (VendRegistryBlob) blob = NULL;
  return digest != NULL && body->request.repository != 0
         && vend_store_registry_blob_get (db, body->request.repository, digest, &blob, NULL);
}

/* How much more the account may store. Its limit is looked at again with the row. */
static VendReply *
limit (OciBody *body, uint64_t there)
{
  const VendSettings *settings = body->request.api->parts.settings;
  const uint64_t most_stored = vend_settings_bytes (settings, "account-max-stored");
  const uint64_t most = vend_settings_bytes (settings, "max-layer");
  const uint64_t length = vend_call_length (body->request.call);
  const int64_t account_id = body->request.model->account_id;
  int64_t stored = 0;
  g_autoptr (GError) error = NULL;
  body->most = most > there ? most - there : 0;
  if (length != UINT64_MAX && length > body->most)
    return too_large (most);
  if (most_stored == 0)
    return NULL;
  g_auto (VendReader) reader = vend_reader (body->request.api->parts.store);
  const uint64_t more = there + (length != UINT64_MAX ? length : 0);
  if (is_here (body, reader.db))
    return NULL;
  if (!vend_store_stored_bytes (reader.db, account_id, &stored, &error)
      || !vend_store_stored_allow (reader.db, account_id, (int64_t) more, most_stored, &error))
    return vend_oci_refuse_error (VEND_OCI_DENIED, error);
  body->most = MIN (body->most, most_stored - (uint64_t) stored - there);
  return NULL;
}

static VendReply *
take (OciBody *body, bool with_sha512)
{
  g_autoptr (GError) error = NULL;
  VendBlobUploads *uploads = vend_registry_uploads (body->request.api->parts.registry);
  return vend_blob_uploads_take (uploads, body->upload, with_sha512, &body->turn, &error)
             ? NULL
             : vend_oci_refuse_error (VEND_OCI_BLOB_UPLOAD_INVALID, error);
}

/* NULL without a digest in the query, or with a good one. */
static VendReply *
check_digest (VendCall *call, const char *digest)
{
  g_autoptr (GError) error = NULL;
  const char *algorithm = vend_call_query (call, "digest-algorithm");
  if (algorithm != NULL && strcmp (algorithm, "sha256") != 0 && strcmp (algorithm, "sha512") != 0)
    return vend_oci_refuse (VEND_OCI_DIGEST_INVALID,
                            "digest-algorithm: expected sha256 or sha512, got '%.60s'", algorithm);
  return digest == NULL || vend_digest_check (digest, &error)
             ? NULL
             : vend_oci_refuse_error (VEND_OCI_DIGEST_INVALID, error);
}

/* A whole blob in one request, without a session. */
static VendReply *
begin_post (OciBody *body)
{
  VendCall *call = body->request.call;
  const char *digest = vend_call_query (call, "digest");
  const char *mount = vend_call_query (call, "mount");
  g_autofree char *empty = vend_digest_of ("", 0, digest != NULL && vend_digest_is_sha512 (digest));
  VendReply *refusal = check_digest (call, digest);
  if (refusal == NULL)
    refusal = check_digest (call, mount);
  body->most = IGNORED_BYTES;
  if (refusal != NULL || mount != NULL || digest == NULL
      || (vend_call_length (call) == 0 && strcmp (digest, empty) != 0))
    return refusal;
  body->upload = vend_id_new ();
  refusal = limit (body, 0);
  return refusal != NULL ? refusal : take (body, vend_digest_is_sha512 (digest));
}

/* The piece must begin where the upload ends. */
static VendReply *
check_range (const OciBody *body, uint64_t size)
{
  VendCall *call = body->request.call;
  const char *range = vend_call_header (call, "Content-Range");
  const uint64_t length = vend_call_length (call);
  g_autoptr (GError) error = NULL;
  uint64_t first = 0, count = 0;
  if (range == NULL)
    return NULL;
  if (!vend_upload_range_parse (range, &first, &count, &error))
    return vend_oci_refuse_error (VEND_OCI_BLOB_UPLOAD_INVALID, error);
  if (length != UINT64_MAX && length != count)
    return vend_oci_refuse (VEND_OCI_SIZE_INVALID,
                            "Content-Range: it has %" G_GUINT64_FORMAT
                            " bytes, the body %" G_GUINT64_FORMAT,
                            count, length);
  return first == size ? NULL : vend_oci_out_of_order (&body->request, size);
}

/* A piece of an upload. A request that is out of order must not end the one that writes. */
static VendReply *
begin_piece (OciBody *body, bool with_sha512)
{
  VendBlobUploads *uploads = vend_registry_uploads (body->request.api->parts.registry);
  VendReply *refusal = vend_oci_request_upload (&body->request);
  body->upload = g_strdup (body->request.path.reference);
  body->has_row = true;
  if (refusal == NULL)
    refusal = check_range (body, vend_blob_uploads_size (uploads, body->upload));
  if (refusal == NULL)
    refusal = take (body, with_sha512 || vend_oci_wants_sha512 (body->request.call));
  if (refusal == NULL)
    refusal = check_range (body, vend_blob_turn_size (body->turn));
  return refusal != NULL ? refusal : limit (body, vend_blob_turn_size (body->turn));
}

static VendReply *
begin_end (OciBody *body)
{
  const char *digest = vend_call_query (body->request.call, "digest");
  if (digest == NULL)
    return vend_oci_refuse (VEND_OCI_DIGEST_INVALID, "digest: the query must have it");
  VendReply *refusal = check_digest (body->request.call, digest);
  return refusal != NULL ? refusal : begin_piece (body, vend_digest_is_sha512 (digest));
}

static VendReply *
begin_manifest (OciBody *body)
{
  const uint64_t length = vend_call_length (body->request.call);
  body->most = VEND_OCI_MANIFEST_BYTES;
  if (length != UINT64_MAX && length > body->most)
    return too_large (body->most);
  body->text = g_byte_array_new ();
  return NULL;
}

static VendReply *
begin_kind (OciBody *body)
{
  const char *method = vend_call_method (body->request.call);
  const VendRegistryKind kind = body->request.path.kind;
  if (kind == VEND_REGISTRY_UPLOADS && strcmp (method, "POST") == 0)
    return begin_post (body);
  if (kind == VEND_REGISTRY_UPLOAD && strcmp (method, "PATCH") == 0)
    return begin_piece (body, false);
  if (kind == VEND_REGISTRY_UPLOAD && strcmp (method, "PUT") == 0)
    return begin_end (body);
  if (kind == VEND_REGISTRY_MANIFEST && strcmp (method, "PUT") == 0)
    return begin_manifest (body);
  return vend_oci_refuse (VEND_OCI_UNSUPPORTED, "%s is not for this path", method);
}

static VendReply *
begin (VendCall *call, void *context, void **out_state)
{
  const ApiBound *bound = context;
  g_autoptr (OciBody) body = g_new0 (OciBody, 1);
  VendReply *refusal
      = vend_oci_request_open (bound->api, call, vend_call_get_data (call), &body->request);
  if (refusal != NULL)
    return refusal;
  body->place = vend_oci_request_place (&body->request);
  refusal = begin_kind (body);
  if (refusal == NULL)
    *out_state = g_steal_pointer (&body);
  return refusal;
}

static VendReply *
write_piece (void *state, const char *data, gsize size)
{
  OciBody *body = state;
  g_autoptr (GError) error = NULL;
  if (size > body->most - body->got)
    return too_large (body->most);
  body->got += size;
  if (body->text != NULL)
    g_byte_array_append (body->text, (const guint8 *) data, (guint) size);
  if (body->turn == NULL || vend_blob_turn_write (body->turn, data, size, &error))
    return NULL;
  return vend_oci_refuse_error (VEND_OCI_BLOB_UPLOAD_INVALID, error);
}

const VendBodySink vend_oci_sink = { begin, write_piece, body_free };
