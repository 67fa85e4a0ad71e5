/* Uploads: one request for a small file, parts for a large one. A part is read twice, once for its
 * checksum: the requests are signed with it, so the server refuses other bytes. */
#include "files/s3.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "files/s3-text.h"
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#define PART_BYTES ((uint64_t) 16 << 20)
#define MAX_PARTS 10000
#define CHUNK_BYTES ((gsize) 256 * 1024)
#define MAX_TRIES 2 /* of a whole upload */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)

typedef struct
{
  VendS3 *s3;
  const char *name;
  int fd;
  uint64_t size;
  const char *sha256;
  char *id;       /* escaped */
  GString *parts; /* the list that completes the upload */
  EVP_MD_CTX *whole;
} Upload;

static void
upload_clear (Upload *upload)
{
  g_free (upload->id);
  g_string_free (upload->parts, TRUE);
  EVP_MD_CTX_free (upload->whole);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Upload, upload_clear)

static char *
hex_of (EVP_MD_CTX *context)
{
  guint8 bytes[EVP_MAX_MD_SIZE];
  guint size = 0;
  EVP_DigestFinal_ex (context, bytes, &size);
  return vend_hex (bytes, size);
}

static bool
is_complete (VendS3 *s3, const char *name, uint64_t size)
{
  g_auto (VendS3Answer) answer = { 0 };
  const VendS3Request request = { .method = "HEAD", .name = name };
  return vend_s3_call (s3, &request, &answer, NULL) && answer.size == size;
}

/* ---- Steps */

static bool
begin (Upload *upload, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  const VendS3Request request = { .method = "POST", .name = upload->name, .query = "uploads=" };
  if (!vend_s3_call (upload->s3, &request, &answer, error))
    return false;
  g_autofree char *id = vend_s3_text_of (answer.text->str, "UploadId");
  if (id == NULL)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "%s began an upload without an id",
                      vend_s3_shown (upload->s3));
  upload->id = g_uri_escape_string (id, NULL, FALSE);
  return true;
}

static bool
hash_part (const Upload *upload, uint64_t start, uint64_t size, char **out, GError **error)
{
  g_autoptr (EVP_MD_CTX) part = EVP_MD_CTX_new ();
  g_autofree char *chunk = g_malloc (CHUNK_BYTES);
  EVP_DigestInit_ex (part, EVP_sha256 (), NULL);
  while (size > 0)
    {
      const ssize_t n = pread (upload->fd, chunk, MIN (size, CHUNK_BYTES), (off_t) start);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, n < 0 ? errno : EIO,
                                "read a file that is stored");
      EVP_DigestUpdate (part, chunk, (gsize) n);
      EVP_DigestUpdate (upload->whole, chunk, (gsize) n);
      start += (uint64_t) n;
      size -= (uint64_t) n;
    }
  *out = hex_of (part);
  return true;
}

static bool
put_part (Upload *upload, guint number, uint64_t start, uint64_t size, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_autofree char *sha256 = NULL;
  g_autofree char *query = g_strdup_printf ("partNumber=%u&uploadId=%s", number, upload->id);
  if (!hash_part (upload, start, size, &sha256, error))
    return false;
  const VendS3Request request = { .method = "PUT",
                                  .name = upload->name,
                                  .query = query,
                                  .fd = upload->fd,
                                  .start = start,
                                  .size = size,
                                  .sha256 = sha256 };
  if (!vend_s3_call (upload->s3, &request, &answer, error))
    return false;
  g_autofree char *etag = g_markup_escape_text (answer.etag != NULL ? answer.etag : "", -1);
  g_string_append_printf (upload->parts, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>",
                          number, etag);
  return true;
}

/* An answer of 200 may be an error, and the answer to the try that did it may have been lost. */
static bool
complete (Upload *upload, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_autoptr (GError) problem = NULL;
  g_autofree char *query = g_strconcat ("uploadId=", upload->id, NULL);
  g_autofree char *body = g_strconcat ("<CompleteMultipartUpload>", upload->parts->str,
                                       "</CompleteMultipartUpload>", NULL);
  g_autofree char *sha256 = vend_sha256_text (body);
  const VendS3Request request = { .method = "POST",
                                  .name = upload->name,
                                  .query = query,
                                  .body = body,
                                  .body_size = strlen (body),
                                  .sha256 = sha256 };
  if (vend_s3_call (upload->s3, &request, &answer, &problem)
      && strstr (answer.text->str, "<CompleteMultipartUploadResult") != NULL)
    return true;
  if (is_complete (upload->s3, upload->name, upload->size))
    return true;
  if (problem == NULL)
    {
      g_autofree char *code = vend_s3_text_of (answer.text->str, "Code");
      return vend_fail (error, VEND_ERROR_UNAVAILABLE, "%s could not complete an upload: %s",
                        vend_s3_shown (upload->s3), code != NULL ? code : "no reason given");
    }
  return vend_fail (error, VEND_ERROR_UNAVAILABLE, "%s", problem->message);
}

static void
abort_upload (VendS3 *s3, const char *name, const char *id)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_autofree char *query = g_strconcat ("uploadId=", id, NULL);
  const VendS3Request request = { .method = "DELETE", .name = name, .query = query };
  /* What stays is found by vend_s3_abort_old. */
  (void) !vend_s3_call (s3, &request, &answer, NULL);
}

static bool
put_parts (Upload *upload, GError **error)
{
  const uint64_t least = (upload->size + MAX_PARTS - 1) / MAX_PARTS;
  const uint64_t part = MAX (least, PART_BYTES);
  guint number = 1;
  for (uint64_t at = 0; at < upload->size; at += part, number++)
    if (!put_part (upload, number, at, MIN (part, upload->size - at), error))
      return false;
  g_autofree char *actual = hex_of (upload->whole);
  return strcmp (actual, upload->sha256) == 0
         || vend_fail (error, VEND_ERROR_STORAGE,
                       "a file on its way to %s has the bytes of %s instead of %s",
                       vend_s3_shown (upload->s3), actual, upload->sha256);
}

static bool
upload_in_parts (VendS3 *s3, const char *name, int fd, uint64_t size, const char *sha256,
                 GError **error)
{
  g_auto (Upload) upload = { .s3 = s3,
                             .name = name,
                             .fd = fd,
                             .size = size,
                             .sha256 = sha256,
                             .parts = g_string_new (NULL),
                             .whole = EVP_MD_CTX_new () };
  EVP_DigestInit_ex (upload.whole, EVP_sha256 (), NULL);
  if (!begin (&upload, error))
    return false;
  if (put_parts (&upload, error) && complete (&upload, error))
    return true;
  abort_upload (s3, name, upload.id);
  return false;
}

bool
vend_s3_upload (VendS3 *s3, const char *name, int fd, uint64_t size, const char *sha256,
                GError **error)
{
  if (size <= PART_BYTES)
    {
      g_auto (VendS3Answer) answer = { 0 };
      const VendS3Request request
          = { .method = "PUT", .name = name, .fd = fd, .size = size, .sha256 = sha256 };
      return vend_s3_call (s3, &request, &answer, error);
    }
  if (is_complete (s3, name, size))
    return true;
  for (guint n = 1;; n++)
    {
      g_autoptr (GError) problem = NULL;
      if (upload_in_parts (s3, name, fd, size, sha256, &problem))
        return true;
      if (n < MAX_TRIES && g_error_matches (problem, VEND_ERROR, VEND_ERROR_UNAVAILABLE))
        continue;
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
}

/* ---- What broken uploads have left */

typedef struct
{
  VendS3 *s3;
  int64_t before_us;
  GPtrArray *found; /* name, id, name, id, … */
} Old;

static void
add_old (GHashTable *texts, void *data)
{
  Old *old = data;
  const char *key = g_hash_table_lookup (texts, "Key");
  const char *id = g_hash_table_lookup (texts, "UploadId");
  const char *begun = g_hash_table_lookup (texts, "Initiated");
  const char *prefix = vend_s3_prefix (old->s3);
  g_autoptr (GDateTime) time = begun != NULL ? g_date_time_new_from_iso8601 (begun, NULL) : NULL;
  if (key == NULL || id == NULL || time == NULL || !g_str_has_prefix (key, prefix)
      || g_date_time_to_unix (time) * VEND_US_PER_S >= old->before_us)
    return;
  g_ptr_array_add (old->found, g_strdup (key + strlen (prefix)));
  g_ptr_array_add (old->found, g_uri_escape_string (id, NULL, FALSE));
}

bool
vend_s3_abort_old (VendS3 *s3, int64_t before_us, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *prefix = g_uri_escape_string (vend_s3_prefix (s3), NULL, FALSE);
  g_autofree char *query = g_strdup_printf ("prefix=%s&uploads=", prefix);
  const VendS3Request request = { .method = "GET", .query = query };
  Old old = { s3, before_us, found };
  if (!vend_s3_call (s3, &request, &answer, error)
      || !vend_s3_entries (answer.text->str, "Upload", add_old, &old, error))
    return false;
  for (guint i = 0; i + 1 < found->len; i += 2)
    abort_upload (s3, g_ptr_array_index (found, i), g_ptr_array_index (found, i + 1));
  return true;
}
