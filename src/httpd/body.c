/* Request bodies: in memory, in the spool directory, or as parts. Connection thread; blocks on the
 * disk of the spool. */
#include "httpd/httpd-private.h"
#include "httpd/multipart-private.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>

#define FIRST_CAPACITY (4 * 1024)

struct VendBody
{
  VendBodyKind kind;
  uint64_t limit;
  uint64_t size;
  const char *spool_dir;
  char *bytes; /* BUFFER */
  gsize capacity;
  GPtrArray *parts; /* VendPart; SPOOL and MULTIPART */
  VendMultipart *multipart;
  /* The current part. */
  VendPart *part;
  GString *text;
  int fd;
  EVP_MD_CTX *sha256;
  EVP_MD_CTX *md5;
  const VendBodySink *sink; /* SINK, once it has begun */
  void *sink_state;
};

static void
part_free (gpointer data)
{
  VendPart *part = data;
  if (part->path != NULL)
    unlink (part->path);
  g_free (part->name);
  g_free (part->filename);
  g_free (part->content_type);
  g_free (part->text);
  g_free (part->path);
  g_free (part->sha256);
  g_free (part->md5);
  g_free (part);
}

static bool
open_spool (VendBody *body, GError **error)
{
  g_autofree char *path = g_build_filename (body->spool_dir, "upload-XXXXXX", NULL);
  body->fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
  if (body->fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  body->part->path = g_steal_pointer (&path);
  body->sha256 = EVP_MD_CTX_new ();
  body->md5 = EVP_MD_CTX_new ();
  if (body->sha256 == NULL || body->md5 == NULL
      || EVP_DigestInit_ex (body->sha256, EVP_sha256 (), NULL) != 1
      || EVP_DigestInit_ex (body->md5, EVP_md5 (), NULL) != 1)
    return vend_fail (error, VEND_ERROR_INTERNAL, "no SHA-256 or MD5 in libcrypto");
  return true;
}

static bool
write_spool (VendBody *body, const char *data, gsize size, GError **error)
{
  body->part->size += size;
  if (EVP_DigestUpdate (body->sha256, data, size) != 1
      || EVP_DigestUpdate (body->md5, data, size) != 1)
    return vend_fail (error, VEND_ERROR_INTERNAL, "hashing failed");
  return vend_fd_write_all (body->fd, data, size, error);
}

static char *
hex_digest (EVP_MD_CTX **context)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex (*context, digest, &size);
  EVP_MD_CTX_free (g_steal_pointer (context));
  GString *hex = g_string_sized_new (2 * size);
  for (unsigned int i = 0; i < size; i++)
    g_string_append_printf (hex, "%02x", digest[i]);
  return g_string_free (hex, FALSE);
}

static void
close_spool (VendBody *body)
{
  vend_fd_clear (&body->fd);
  body->part->sha256 = hex_digest (&body->sha256);
  body->part->md5 = hex_digest (&body->md5);
}

static bool
begin_part (void *data, const char *name, const char *filename, const char *content_type,
            GError **error)
{
  VendBody *body = data;
  if (body->parts->len >= VEND_HTTPD_MAX_PARTS)
    return vend_fail (error, VEND_ERROR_TOO_LARGE, "the form has more than %d parts",
                      VEND_HTTPD_MAX_PARTS);
  body->part = g_new0 (VendPart, 1);
  body->part->name = g_strdup (name);
  body->part->filename = g_strdup (filename);
  body->part->content_type = g_strdup (content_type);
  g_ptr_array_add (body->parts, body->part);
  if (filename != NULL)
    return open_spool (body, error);
  body->text = g_string_new (NULL);
  return true;
}

static bool
part_data (void *data, const char *bytes, gsize size, GError **error)
{
  VendBody *body = data;
  if (body->text == NULL)
    return write_spool (body, bytes, size, error);
  if (size > VEND_HTTPD_TEXT_BYTES - body->text->len)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "form field '%s' is larger than %d bytes; send it as a file",
                      body->part->name, VEND_HTTPD_TEXT_BYTES);
  g_string_append_len (body->text, bytes, (gssize) size);
  return true;
}

static bool
end_part (void *data, GError **error)
{
  VendBody *body = data;
  if (body->text == NULL)
    close_spool (body);
  else
    {
      body->part->text_size = body->part->size = body->text->len;
      body->part->text = g_string_free (g_steal_pointer (&body->text), FALSE);
    }
  body->part = NULL;
  return true;
}

static bool
refuse_error (GError *error, VendReply **out_refusal)
{
  *out_refusal = vend_reply_error (error);
  g_error_free (error);
  return false;
}

static bool
refuse_size (const VendRoute *route, uint64_t limit, VendReply **out_refusal)
{
  g_autofree char *detail
      = g_strdup_printf ("The request body must be at most %" G_GUINT64_FORMAT " bytes.", limit);
  *out_refusal
      = vend_reply_problem (413, "Too large", route->too_large != NULL ? route->too_large : detail);
  return false;
}

static bool
begin_sink (VendBody *body, VendCall *call, VendReply **out_refusal)
{
  const VendRoute *route = call->match.route;
  *out_refusal = route->sink->begin (call, route->context, &body->sink_state);
  if (*out_refusal == NULL)
    body->sink = route->sink;
  return *out_refusal == NULL;
}

static bool
begin_multipart (VendBody *body, VendCall *call, VendReply **out_refusal)
{
  static const VendMultipartEvents events
      = { .begin = begin_part, .data = part_data, .end = end_part };
  const char *content_type = vend_call_header (call, MHD_HTTP_HEADER_CONTENT_TYPE);
  g_autofree char *boundary = content_type != NULL ? vend_multipart_boundary (content_type) : NULL;
  if (boundary == NULL)
    {
      *out_refusal = vend_reply_problem (415, "Unsupported media type",
                                         "The body must be multipart/form-data with a boundary.");
      return false;
    }
  body->parts = g_ptr_array_new_with_free_func (part_free);
  body->multipart = vend_multipart_new (boundary, &events, body);
  return true;
}

bool
vend_body_begin (VendCall *call, uint64_t length, VendReply **out_refusal)
{
  const VendRoute *route = call->match.route;
  if (route->body == VEND_BODY_NONE)
    return length == UINT64_MAX || length <= VEND_HTTPD_IGNORED_BYTES
           || refuse_size (route, VEND_HTTPD_IGNORED_BYTES, out_refusal);

  VendBody *body = call->body = g_new0 (VendBody, 1);
  body->kind = route->body;
  body->limit = route->limit != 0 ? route->limit : call->httpd->max_body;
  body->spool_dir = call->httpd->spool_dir;
  body->fd = -1;
  if (body->kind == VEND_BODY_SINK)
    return begin_sink (body, call, out_refusal);
  if (length != UINT64_MAX && length > body->limit)
    return refuse_size (call->match.route, body->limit, out_refusal);
  if (body->kind == VEND_BODY_MULTIPART)
    return begin_multipart (body, call, out_refusal);
  if (body->kind == VEND_BODY_BUFFER)
    {
      body->capacity = length != UINT64_MAX ? (gsize) length + 1 : FIRST_CAPACITY;
      body->bytes = g_try_malloc (body->capacity);
      if (body->bytes == NULL)
        return refuse_error (
            g_error_new (VEND_ERROR, VEND_ERROR_BUSY, "no memory for the request body"),
            out_refusal);
      body->bytes[0] = '\0';
      return true;
    }

  GError *error = NULL;
  body->parts = g_ptr_array_new_with_free_func (part_free);
  body->part = g_new0 (VendPart, 1);
  body->part->name = g_strdup ("");
  body->part->content_type = g_strdup (vend_call_header (call, MHD_HTTP_HEADER_CONTENT_TYPE));
  g_ptr_array_add (body->parts, body->part);
  return open_spool (body, &error) || refuse_error (error, out_refusal);
}

static bool
append_bytes (VendBody *body, const char *data, gsize size, GError **error)
{
  const gsize needed = (gsize) body->size + 1;
  if (needed > body->capacity)
    {
      gsize capacity = body->capacity;
      while (capacity < needed)
        capacity *= 2;
      char *bytes = g_try_realloc (body->bytes, capacity);
      if (bytes == NULL)
        return vend_fail (error, VEND_ERROR_BUSY, "no memory for the request body");
      body->bytes = bytes;
      body->capacity = capacity;
    }
  memcpy (body->bytes + body->size - size, data, size);
  body->bytes[body->size] = '\0';
  return true;
}

bool
vend_body_write (VendCall *call, const char *data, gsize size, VendReply **out_refusal)
{
  VendBody *body = call->body;
  GError *error = NULL;
  if (body == NULL)
    {
      call->ignored_bytes += size;
      return call->ignored_bytes <= VEND_HTTPD_IGNORED_BYTES
             || refuse_size (call->match.route, VEND_HTTPD_IGNORED_BYTES, out_refusal);
    }
  if (body->kind == VEND_BODY_SINK)
    {
      *out_refusal = body->sink->write (body->sink_state, data, size);
      return *out_refusal == NULL;
    }
  if (size > body->limit - body->size)
    return refuse_size (call->match.route, body->limit, out_refusal);
  body->size += size;
  bool written = body->kind == VEND_BODY_BUFFER ? append_bytes (body, data, size, &error)
                 : body->kind == VEND_BODY_SPOOL
                     ? write_spool (body, data, size, &error)
                     : vend_multipart_feed (body->multipart, data, size, &error);
  return written || refuse_error (error, out_refusal);
}

bool
vend_body_end (VendCall *call, VendReply **out_refusal)
{
  VendBody *body = call->body;
  GError *error = NULL;
  if (body == NULL)
    return true;
  if (body->kind == VEND_BODY_SPOOL)
    close_spool (body);
  if (body->kind == VEND_BODY_MULTIPART && !vend_multipart_finish (body->multipart, &error))
    return refuse_error (error, out_refusal);
  return true;
}

void
vend_body_free (VendBody *body)
{
  if (body == NULL)
    return;
  vend_multipart_free (body->multipart);
  vend_fd_clear (&body->fd);
  EVP_MD_CTX_free (body->sha256);
  EVP_MD_CTX_free (body->md5);
  if (body->text != NULL)
    g_string_free (body->text, TRUE);
  g_clear_pointer (&body->parts, g_ptr_array_unref);
  if (body->sink != NULL)
    body->sink->free (body->sink_state);
  g_free (body->bytes);
  g_free (body);
}

const char *
vend_body_bytes (VendBody *body, gsize *out_size)
{
  bool has_bytes = body != NULL && body->bytes != NULL;
  if (out_size != NULL)
    *out_size = has_bytes ? (gsize) body->size : 0;
  return has_bytes ? body->bytes : "";
}

void *
vend_body_sink (VendBody *body)
{
  return body != NULL ? body->sink_state : NULL;
}

GPtrArray *
vend_body_parts (VendBody *body)
{
  return body != NULL ? body->parts : NULL;
}
