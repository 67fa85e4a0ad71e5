/* Replies: constructors on any thread, sending on the connection thread.
 *
 * A file reply depends on the request (Range, If-None-Match), so its response is made when it is
 * sent; until then an empty response carries its headers. */
#include "httpd/httpd-private.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"
#include "httpd/range-private.h"
#include <string.h>
#include <sys/stat.h>

#define PROBLEM_TYPE "application/problem+json"
#define JSON_TYPE "application/json"
#define UNKNOWN_TYPE "application/octet-stream"
#define FILE_BLOCK_BYTES (64 * 1024)

struct VendReply
{
  int status;
  struct MHD_Response *response;
  VendStream *stream; /* the reply's side; owned by `response` */
  VendPull *pull;     /* owned by `response` */
  char *text;         /* of JSON, for vend_reply_wire; borrowed from `response` */
  gsize text_size;
  bool is_problem;
  bool is_file;
  int fd;
  uint64_t size;
  char *etag; /* quoted, or NULL */
};

static VendReply *
reply_around (int status, struct MHD_Response *response)
{
  g_assert (status >= 200 && status <= 599);
  if (response == NULL)
    g_error ("out of memory for a reply");
  VendReply *reply = g_new0 (VendReply, 1);
  reply->status = status;
  reply->response = response;
  reply->fd = -1;
  return reply;
}

/* Visible characters, spaces and tabs: nothing that could end the line. */
static bool
is_field_value (const char *value)
{
  for (const char *c = value; *c != '\0'; c++)
    if (((guchar) *c < 0x20 && *c != '\t') || *c == 0x7f)
      return false;
  return true;
}

void
vend_reply_header (VendReply *reply, const char *name, const char *value)
{
  if (!vend_is_token (name) || !is_field_value (value)
      || MHD_add_response_header (reply->response, name, value) != MHD_YES)
    vend_log (VEND_LOG_WARN, "reply header refused", "name", name, NULL);
}

static void
set_content_type (VendReply *reply, const char *content_type)
{
  if (content_type == NULL)
    return;
  const bool usable = *content_type != '\0' && is_field_value (content_type);
  vend_reply_header (reply, MHD_HTTP_HEADER_CONTENT_TYPE, usable ? content_type : UNKNOWN_TYPE);
}

VendReply *
vend_reply_new (int status, const char *content_type, const void *body, gsize size)
{
  VendReply *reply
      = reply_around (status, MHD_create_response_from_buffer (size, (void *) (uintptr_t) body,
                                                               MHD_RESPMEM_MUST_COPY));
  set_content_type (reply, content_type);
  return reply;
}

VendReply *
vend_reply_static (int status, const char *content_type, const void *body, gsize size)
{
  VendReply *reply
      = reply_around (status, MHD_create_response_from_buffer (size, (void *) (uintptr_t) body,
                                                               MHD_RESPMEM_PERSISTENT));
  set_content_type (reply, content_type);
  return reply;
}

VendReply *
vend_reply_take (int status, const char *content_type, char *body, gsize size)
{
  VendReply *reply = reply_around (
      status, MHD_create_response_from_buffer_with_free_callback (size, body, g_free));
  set_content_type (reply, content_type);
  return reply;
}

static VendReply *
reply_text_as (int status, const char *content_type, char *text, gsize size)
{
  VendReply *reply = vend_reply_take (status, content_type, text, size);
  reply->text = text;
  reply->text_size = size;
  return reply;
}

static VendReply *
reply_json_as (int status, const char *content_type, json_t *value)
{
  char *text = vend_json_text (value);
  json_decref (value);
  VendReply *reply = reply_text_as (status, content_type, text, strlen (text));
  reply->is_problem = strcmp (content_type, PROBLEM_TYPE) == 0;
  return reply;
}

VendReply *
vend_reply_json_text (int status, char *text, gsize size)
{
  return reply_text_as (status, JSON_TYPE, text, size);
}

VendReply *
vend_reply_json (int status, json_t *value)
{
  return reply_json_as (status, JSON_TYPE, value);
}

VendReply *
vend_reply_problem_json (int status, json_t *value)
{
  return reply_json_as (status, PROBLEM_TYPE, value);
}

VendReply *
vend_reply_empty (int status)
{
  return reply_around (status,
                       MHD_create_response_from_buffer (0, (void *) "", MHD_RESPMEM_PERSISTENT));
}

VendReply *
vend_reply_problem (int status, const char *title, const char *detail)
{
  json_t *problem = json_object ();
  vend_json_set_string (problem, "detail", detail);
  vend_json_set_int (problem, "status", status);
  vend_json_set_string (problem, "title", title);
  return reply_json_as (status, PROBLEM_TYPE, problem);
}

VendReply *
vend_reply_error (const GError *error)
{
  const VendErrorInfo *info = vend_error_info (error);
  g_autofree char *hidden = NULL;
  /* `busy` is about the load, which the client may know. */
  if (info->http_status >= 500 && error->code != VEND_ERROR_BUSY)
    {
      g_autofree char *id = vend_id_new ();
      vend_log (VEND_LOG_ERROR, "request failed", "id", id, "problem", info->id, "detail",
                error->message, NULL);
      hidden = g_strdup_printf (
          "The request failed in the server; the server's log has the reason under %s.", id);
    }
  g_autofree char *type = g_strconcat ("urn:vend:error:", info->id, NULL);
  json_t *problem = json_object ();
  vend_json_set_string (problem, "detail", hidden != NULL ? hidden : error->message);
  vend_json_set_int (problem, "status", info->http_status);
  vend_json_set_string (problem, "title", info->title);
  vend_json_set_string (problem, "type", type);
  VendReply *reply = reply_json_as (info->http_status, PROBLEM_TYPE, problem);
  /* Other clients wait a time of their own, or not at all. */
  if (info->http_status == 429 || info->http_status == 503)
    vend_reply_header (reply, "Retry-After", "1");
  return reply;
}

VendReply *
vend_reply_file (int fd, uint64_t size, const char *content_type, const char *etag)
{
  VendReply *reply = vend_reply_empty (200);
  reply->is_file = true;
  reply->fd = fd;
  reply->size = size;
  if (etag != NULL && strchr (etag, '"') == NULL && is_field_value (etag))
    reply->etag = g_strconcat ("\"", etag, "\"", NULL);
  set_content_type (reply, content_type != NULL ? content_type : UNKNOWN_TYPE);
  return reply;
}

VendReply *
vend_reply_stream (int status, const char *content_type, VendStream **out_stream)
{
  VendStream *stream = vend_stream_new ();
  VendReply *reply = reply_around (status, vend_stream_response (stream));
  reply->stream = stream;
  set_content_type (reply, content_type);
  *out_stream = stream;
  return reply;
}

VendReply *
vend_reply_pull (int status, const char *content_type, VendSignal *signal,
                 const VendPullFuncs *funcs, void *data)
{
  VendPull *pull = NULL;
  VendReply *reply = reply_around (status, vend_pull_response (signal, funcs, data, &pull));
  reply->pull = pull;
  set_content_type (reply, content_type);
  return reply;
}

void
vend_reply_free (VendReply *reply)
{
  if (reply == NULL)
    return;
  g_clear_pointer (&reply->response, MHD_destroy_response);
  vend_fd_clear (&reply->fd);
  g_free (reply->etag);
  g_free (reply);
}

/* "*", or a list of entity tags, weak or not, with the reply's tag. */
static bool
etag_matches (const char *list, const char *etag)
{
  g_auto (GStrv) tags = g_strsplit (list, ",", 64);
  for (char **tag = tags; *tag != NULL; tag++)
    {
      const char *text = g_strstrip (*tag);
      if (g_str_has_prefix (text, "W/"))
        text += 2;
      if (strcmp (text, "*") == 0 || strcmp (text, etag) == 0)
        return true;
    }
  return false;
}

static enum MHD_Result
copy_header (void *response, enum MHD_ValueKind kind, const char *name, const char *value)
{
  return MHD_add_response_header (response, name, value);
}

/* Takes `response` in place of the response that carried the headers. */
static void
put_response (VendReply *reply, int status, struct MHD_Response *response)
{
  if (response == NULL)
    g_error ("out of memory for a reply");
  MHD_get_response_headers (reply->response, copy_header, response);
  MHD_destroy_response (reply->response);
  reply->response = response;
  reply->status = status;
}

static enum MHD_Result
copy_other_header (void *response, enum MHD_ValueKind kind, const char *name, const char *value)
{
  return strcmp (name, MHD_HTTP_HEADER_CONTENT_TYPE) == 0
             ? MHD_YES
             : MHD_add_response_header (response, name, value);
}

VendReply *
vend_reply_restated (VendReply *reply, const VendCall *call)
{
  const VendRestate restate = call->httpd->restate;
  if (!reply->is_problem || restate == NULL)
    return reply;
  g_autoptr (GError) error = NULL;
  json_auto_t *problem = NULL;
  /* Behind a route's own prefix, if there is one. */
  const char *path = call->match.route != NULL ? call->match.path : call->raw_path;
  if (!vend_json_parse (reply->text, reply->text_size, &problem, &error))
    return reply;
  VendReply *other = restate (path, reply->status, problem);
  if (other == NULL)
    return reply;
  MHD_get_response_headers (reply->response, copy_other_header, other->response);
  vend_reply_free (reply);
  return other;
}

/* `etag` is quoted. */
static VendRangeKind
find_range (VendCall *call, const char *etag, uint64_t file_size, uint64_t *out_start,
            uint64_t *out_size)
{
  const char *range = vend_call_header (call, MHD_HTTP_HEADER_RANGE);
  const char *if_range = vend_call_header (call, MHD_HTTP_HEADER_IF_RANGE);
  if (range == NULL || (if_range != NULL && g_strcmp0 (if_range, etag) != 0))
    return VEND_RANGE_NONE;
  return vend_range_parse (range, file_size, out_start, out_size);
}

bool
vend_call_part_of (VendCall *call, const char *etag, uint64_t file_size, uint64_t *out_start,
                   uint64_t *out_size)
{
  g_autofree char *quoted = g_strconcat ("\"", etag, "\"", NULL);
  return find_range (call, quoted, file_size, out_start, out_size) == VEND_RANGE_PART;
}

typedef struct
{
  int fd;
  uint64_t start;
} FileBody;

static ssize_t
read_file_body (void *data, uint64_t position, char *buffer, size_t size)
{
  const FileBody *body = data;
  ssize_t n_read = pread (body->fd, buffer, size, (off_t) (body->start + position));
  /* A file that ends too soon has no rest to send. */
  return n_read > 0 ? n_read : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void
free_file_body (void *data)
{
  FileBody *body = data;
  close (body->fd);
  g_free (body);
}

/* Blocks that stay in the processor's cache reach a client or proxy of the same machine sooner than
 * what sendfile() leaves to copy there, and TLS takes the same way. */
static struct MHD_Response *
file_response (int fd, uint64_t start, uint64_t size)
{
  FileBody *body = g_new (FileBody, 1);
  *body = (FileBody){ .fd = fd, .start = start };
  size_t block = (size_t) CLAMP (size, 1, FILE_BLOCK_BYTES);
  return MHD_create_response_from_callback (size, block, read_file_body, body, free_file_body);
}

static void
finish_file (VendReply *reply, VendCall *call)
{
  uint64_t start = 0;
  uint64_t size = reply->size;
  const char *known = vend_call_header (call, MHD_HTTP_HEADER_IF_NONE_MATCH);
  vend_reply_header (reply, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
  if (reply->etag != NULL)
    vend_reply_header (reply, MHD_HTTP_HEADER_ETAG, reply->etag);
  if (known != NULL && reply->etag != NULL && etag_matches (known, reply->etag))
    {
      /* With the file's own length, like the 200. */
      put_response (reply, 304, file_response (reply->fd, 0, reply->size));
      reply->fd = -1;
      return;
    }
  int status = 200;
  switch (find_range (call, reply->etag, reply->size, &start, &size))
    {
    case VEND_RANGE_OUTSIDE:
      {
        g_autofree char *unsatisfied = g_strdup_printf ("bytes */%" G_GUINT64_FORMAT, reply->size);
        vend_reply_header (reply, MHD_HTTP_HEADER_CONTENT_RANGE, unsatisfied);
        reply->status = 416;
        return;
      }
    case VEND_RANGE_PART:
      {
        g_autofree char *part = g_strdup_printf ("bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT
                                                 "/%" G_GUINT64_FORMAT,
                                                 start, start + size - 1, reply->size);
        vend_reply_header (reply, MHD_HTTP_HEADER_CONTENT_RANGE, part);
        status = 206;
        break;
      }
    case VEND_RANGE_NONE:
    default:
      break;
    }
  put_response (reply, status, file_response (reply->fd, start, size));
  reply->fd = -1;
}

void
vend_reply_take_headers (VendReply *reply, VendCall *call)
{
  for (const GSList *item = call->headers; item != NULL; item = item->next)
    {
      const HeaderPair *header = item->data;
      vend_reply_header (reply, header->name, header->value);
    }
  vend_cors_mark (call->httpd->cors, call, reply);
}

enum MHD_Result
vend_reply_send (VendReply *reply, VendCall *call)
{
  vend_reply_take_headers (reply, call);
  if (reply->is_file)
    finish_file (reply, call);
  /* The library accepts more as chunks than other servers, so no request may follow them. */
  if (call->length == UINT64_MAX
      || atomic_load_explicit (&call->httpd->closing, memory_order_relaxed))
    MHD_add_response_header (reply->response, MHD_HTTP_HEADER_CONNECTION, "close");
  call->status = reply->status;
  /* The library would end the chunked body that a HEAD reply does not have. */
  const bool is_head = strcmp (call->method, MHD_HTTP_METHOD_HEAD) == 0;
  if ((reply->stream != NULL || reply->pull != NULL) && is_head)
    MHD_set_response_options (reply->response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
  if (reply->stream != NULL)
    vend_stream_attach (reply->stream, call);
  if (reply->pull != NULL && !is_head)
    vend_pull_attach (reply->pull, call);
  return MHD_queue_response (call->connection, (unsigned int) reply->status, reply->response);
}

int
vend_reply_get_status (const VendReply *reply)
{
  return reply->status;
}

static enum MHD_Result
add_header_line (void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
  g_string_append_printf (data, "%s: %s\r\n", name, value);
  return MHD_YES;
}

char *
vend_reply_wire (const VendReply *reply, gsize *out_size)
{
  GString *wire = g_string_new (NULL);
  g_string_append_printf (wire, "HTTP/1.1 %d %s\r\nConnection: close\r\n", reply->status,
                          MHD_get_reason_phrase_for ((unsigned int) reply->status));
  MHD_get_response_headers (reply->response, add_header_line, wire);
  g_string_append_printf (wire, "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n", reply->text_size);
  g_string_append_len (wire, reply->text, (gssize) reply->text_size);
  *out_size = wire->len;
  return g_string_free (wire, FALSE);
}
