/* Checks of a request before its body is read. Connection thread.
 *
 * The library is lenient where two servers could disagree about the end of a message; such requests
 * are refused here and their connections closed. */
#include "httpd/httpd-private.h"
#include <string.h>

#define TOO_LONG "The Content-Length is too large."
#define LINE_END 2 /* CR LF, replaced by NULs by the library */

typedef struct
{
  const char *expected; /* expected start of the next name in the library's copy of the head */
  const char *host;
  guint hosts;
  guint lengths;
  guint encodings;
  bool encoded_body;
  bool chunked;
  bool malformed;
  bool too_long;
  uint64_t length;
} Framing;

bool
vend_is_token (const char *text)
{
  return *text != '\0'
         && text[strspn (text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "!#$%&'*+-.^_`|~")]
                == '\0';
}

static bool
has_control (const char *text)
{
  for (; *text != '\0'; text++)
    if (((guchar) *text < 0x20 && *text != '\t') || *text == 0x7f)
      return true;
  return false;
}

/* Names and values that the library cut out of the head must lie there without gaps. A gap is left
 * by a NUL, by a line that ends in LF alone, and by a header continued on the next line: there the
 * library's text is shorter, or its line ends elsewhere, than in other servers. */
static bool
is_in_place (Framing *framing, const char *name, gsize name_size, const char *value,
             gsize value_size)
{
  const char *at = framing->expected;
  framing->expected = value + value_size + LINE_END;
  if (name != at || value <= name + name_size)
    return false;
  for (at += name_size + 1; at < value; at++)
    if (*at != ' ' && *at != '\t')
      return false;
  return true;
}

/* 0 for a valid length, otherwise the status of the refusal. The greatest number means chunks, here
 * and in the library. */
static int
check_length (const char *value, uint64_t *out_length)
{
  if (*value == '\0' || value[strspn (value, "0123456789")] != '\0')
    return 400;
  return g_ascii_string_to_unsigned (value, 10, 0, UINT64_MAX - 1, out_length, NULL) ? 0 : 413;
}

bool
vend_request_refuse_length (VendConn *conn)
{
  uint64_t length = 0;
  const char *value = MHD_lookup_connection_value (conn->connection, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_CONTENT_LENGTH);
  const int status = value != NULL ? check_length (value, &length) : 0;
  if (status == 400)
    vend_conn_close (conn, status, "Bad request", "The Content-Length is not a number.");
  if (status == 413)
    vend_conn_close (conn, status, "Too large", TOO_LONG);
  return status != 0;
}

static enum MHD_Result
check_header (void *data, enum MHD_ValueKind kind, const char *name, size_t name_size,
              const char *value, size_t value_size)
{
  Framing *framing = data;
  if (value == NULL || !is_in_place (framing, name, name_size, value, value_size)
      || !vend_is_token (name) || has_control (value))
    {
      framing->malformed = true;
      return MHD_NO;
    }
  if (g_ascii_strcasecmp (name, MHD_HTTP_HEADER_HOST) == 0)
    {
      framing->hosts++;
      framing->host = value;
    }
  else if (g_ascii_strcasecmp (name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0)
    {
      const int status = check_length (value, &framing->length);
      framing->lengths++;
      framing->too_long |= status == 413;
      framing->malformed |= status == 400;
    }
  else if (g_ascii_strcasecmp (name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0)
    {
      framing->encodings++;
      framing->chunked = g_ascii_strcasecmp (value, "chunked") == 0;
    }
  else if (g_ascii_strcasecmp (name, MHD_HTTP_HEADER_CONTENT_ENCODING) == 0)
    framing->encoded_body |= *value != '\0' && g_ascii_strcasecmp (value, "identity") != 0;
  return MHD_YES;
}

/* "GET /v1/x HTTP/1.1": one space each, a target without spaces or control characters. */
static bool
is_request_line (const VendCall *call, const char *version)
{
  const VendConn *conn = vend_conn_of (call->connection);
  const char *target = conn->target;
  return target != NULL && conn->target_is_clean && vend_is_token (call->method)
         && target == call->method + strlen (call->method) + 1
         && version == target + conn->target_size + 1;
}

static VendReply *
check_head (VendCall *call, const char *version, uint64_t *out_length, bool *out_encoded)
{
  const union MHD_ConnectionInfo *info
      = MHD_get_connection_info (call->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  if (info->header_size > VEND_HTTPD_HEAD_BYTES)
    return vend_reply_problem (431, "Request header fields too large",
                               "The request line and headers must be at most 32 KiB.");

  const bool http_1_1 = strcmp (version, MHD_HTTP_VERSION_1_1) == 0;
  Framing framing = { .expected = version + strlen (version) + LINE_END };
  MHD_get_connection_values_n (call->connection, MHD_HEADER_KIND, check_header, &framing);
  /* The empty line after the last header. */
  const bool is_whole = framing.expected + LINE_END == call->method + info->header_size;
  const char *wrong = NULL;
  if (framing.malformed || !is_whole || !is_request_line (call, version))
    wrong = "The request line or a header is malformed.";
  else if (framing.hosts > 1 || (http_1_1 && framing.hosts == 0))
    wrong = "The request must have exactly one Host header.";
  else if (framing.hosts > 0 && *framing.host != '\0' && !vend_is_authority (framing.host))
    wrong = "The Host header is malformed.";
  else if (framing.lengths > 1 || (framing.lengths > 0 && framing.encodings > 0))
    wrong = "The request must have one Content-Length or one Transfer-Encoding, not both.";
  else if (framing.encodings > 0 && (framing.encodings > 1 || !framing.chunked || !http_1_1))
    wrong = "The only supported transfer encoding is chunked.";
  if (wrong != NULL)
    return vend_reply_problem (400, "Bad request", wrong);
  if (framing.too_long)
    return vend_reply_problem (413, "Too large", TOO_LONG);
  *out_length = framing.encodings > 0 ? UINT64_MAX : framing.length;
  *out_encoded = framing.encoded_body;
  return NULL;
}

static enum MHD_Result
take_query_pair (void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
  GArray **query = data;
  QueryPair pair = { g_strdup (name), g_strdup (value != NULL ? value : "") };
  g_array_append_val (*query, pair);
  gsize size = 0;
  if ((*query)->len <= VEND_HTTPD_MAX_QUERY
      && vend_percent_decode (pair.name, strlen (pair.name), pair.name, &size)
      && vend_percent_decode (pair.value, strlen (pair.value), pair.value, &size))
    return MHD_YES;
  g_clear_pointer (query, g_array_unref);
  return MHD_NO;
}

static void
clear_query_pair (gpointer data)
{
  QueryPair *pair = data;
  g_free (pair->name);
  g_free (pair->value);
}

static VendReply *
check_query (VendCall *call)
{
  if (MHD_get_connection_values (call->connection, MHD_GET_ARGUMENT_KIND, NULL, NULL) == 0)
    return NULL;
  call->query = g_array_new (FALSE, FALSE, sizeof (QueryPair));
  g_array_set_clear_func (call->query, clear_query_pair);
  MHD_get_connection_values (call->connection, MHD_GET_ARGUMENT_KIND, take_query_pair,
                             &call->query);
  return call->query != NULL
             ? NULL
             : vend_reply_problem (400, "Bad request",
                                   "The query is not valid percent-encoded UTF-8 of at most 128 "
                                   "parameters.");
}

static bool
is_anonymous_read (VendCall *call)
{
  return vend_call_header (call, MHD_HTTP_HEADER_AUTHORIZATION) == NULL
         && (strcmp (call->method, "GET") == 0 || strcmp (call->method, "HEAD") == 0);
}

/* What a browser's address bar sends, and no client of the API. */
static bool
asks_for_page (VendCall *call)
{
  const char *accept = vend_call_header (call, MHD_HTTP_HEADER_ACCEPT);
  return call->httpd->pages != NULL && accept != NULL && strstr (accept, "text/html") != NULL
         && is_anonymous_read (call);
}

/* What programs that preview links send. */
static bool
may_preview (VendCall *call)
{
  const char *accept = vend_call_header (call, MHD_HTTP_HEADER_ACCEPT);
  return call->httpd->preview_page != NULL && (accept == NULL || strstr (accept, "*/*") != NULL)
         && is_anonymous_read (call);
}

static VendMatchResult
match_route (VendCall *call, const char *raw_path)
{
  VendHttpd *httpd = call->httpd;
  const bool is_page = asks_for_page (call);
  if (is_page
      && vend_router_match (httpd->pages, call->method, raw_path, &call->match) == VEND_MATCH_FOUND)
    return VEND_MATCH_FOUND;
  vend_match_clear (&call->match);
  const VendMatchResult result
      = vend_router_match (httpd->router, call->method, raw_path, &call->match);
  if (result != VEND_MATCH_NO_PATH || (!is_page && !may_preview (call)))
    return result;
  vend_match_clear (&call->match);
  return vend_router_match (is_page ? httpd->other_page : httpd->preview_page, call->method,
                            raw_path, &call->match);
}

static VendReply *
check_route (VendCall *call, const char *raw_path)
{
  switch (match_route (call, raw_path))
    {
    case VEND_MATCH_FOUND:
      return NULL;
    case VEND_MATCH_BAD_PATH:
      return vend_reply_problem (400, "Bad request",
                                 "The path is not valid percent-encoded UTF-8.");
    case VEND_MATCH_NO_METHOD:
      {
        g_autofree char *allow = vend_router_allow (call->httpd->router, raw_path);
        VendReply *reply = vend_cors_preflight (call->httpd->cors, call, allow);
        if (reply != NULL)
          return reply;
        reply = vend_reply_problem (405, "Method not allowed",
                                    "The resource does not support this method.");
        vend_reply_header (reply, MHD_HTTP_HEADER_ALLOW, allow);
        return reply;
      }
    case VEND_MATCH_NO_PATH:
    default:
      return vend_reply_problem (404, "Not found", "The requested resource could not be found.");
    }
}

VendReply *
vend_request_check (VendCall *call, const char *raw_path, const char *version, uint64_t *out_length)
{
  /* The route first: its match must be cleared in any case, and bad framing closes the
   * connection. */
  VendReply *route_reply = check_route (call, raw_path);
  *out_length = UINT64_MAX;
  bool is_encoded = false;
  VendReply *reply = check_head (call, version, out_length, &is_encoded);
  if (reply != NULL)
    {
      vend_reply_free (route_reply);
      return reply;
    }
  if (atomic_load (&call->httpd->stopping))
    {
      vend_reply_free (route_reply);
      return vend_reply_problem (503, "Unavailable", "The server is stopping.");
    }
  if (route_reply == NULL && is_encoded && call->match.route->body != VEND_BODY_NONE)
    {
      route_reply = vend_reply_problem (415, "Unsupported media type",
                                        "The request body must be sent unencoded: the only "
                                        "accepted Content-Encoding is identity.");
      vend_reply_header (route_reply, MHD_HTTP_HEADER_ACCEPT_ENCODING, "identity");
    }
  return route_reply != NULL ? route_reply : check_query (call);
}
