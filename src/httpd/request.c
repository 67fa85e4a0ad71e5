/* What is wrong with a request before its body is read. Connection thread.
 *
 * The library is lenient where two servers could disagree about where a message ends; such requests
 * are refused here and their connections closed. */
#include "httpd/httpd-private.h"
#include <string.h>

typedef struct
{
  guint hosts;
  guint lengths;
  guint encodings;
  bool chunked;
  bool malformed;
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

static enum MHD_Result
look_at_header (void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
  Framing *framing = data;
  if (!vend_is_token (name))
    framing->malformed = true;
  if (g_ascii_strcasecmp (name, MHD_HTTP_HEADER_HOST) == 0)
    framing->hosts++;
  else if (g_ascii_strcasecmp (name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0)
    {
      framing->lengths++;
      if (value == NULL
          || !g_ascii_string_to_unsigned (value, 10, 0, UINT64_MAX, &framing->length, NULL))
        framing->malformed = true;
    }
  else if (g_ascii_strcasecmp (name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0)
    {
      framing->encodings++;
      framing->chunked = value != NULL && g_ascii_strcasecmp (value, "chunked") == 0;
    }
  return MHD_YES;
}

static VendReply *
check_head (VendCall *call, const char *version, uint64_t *out_length)
{
  const union MHD_ConnectionInfo *info
      = MHD_get_connection_info (call->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  if (info != NULL && info->header_size > VEND_HTTPD_HEAD_BYTES)
    return vend_reply_problem (431, "Request header fields too large",
                               "The request line and headers must be at most 32 KiB.");

  Framing framing = { 0 };
  MHD_get_connection_values (call->connection, MHD_HEADER_KIND, look_at_header, &framing);
  const bool http_1_1 = strcmp (version, MHD_HTTP_VERSION_1_1) == 0;
  const char *wrong = NULL;
  if (framing.malformed || !vend_is_token (call->method))
    wrong = "The request line or a header is malformed.";
  else if (framing.hosts > 1 || (http_1_1 && framing.hosts == 0))
    wrong = "The request must have exactly one Host header.";
  else if (framing.lengths > 1 || (framing.lengths > 0 && framing.encodings > 0))
    wrong = "The request must have one Content-Length or one Transfer-Encoding, not both.";
  else if (framing.encodings > 0 && (framing.encodings > 1 || !framing.chunked || !http_1_1))
    wrong = "The only transfer encoding that is understood is chunked.";
  if (wrong != NULL)
    return vend_reply_problem (400, "Bad request", wrong);
  *out_length = framing.encodings > 0 ? UINT64_MAX : framing.length;
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

static VendReply *
check_route (VendCall *call, const char *raw_path)
{
  switch (vend_router_match (call->httpd->router, call->method, raw_path, &call->match))
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
  /* The route first: it must be cleared in any case, and bad framing closes the connection. */
  VendReply *route_reply = check_route (call, raw_path);
  *out_length = UINT64_MAX;
  VendReply *reply = check_head (call, version, out_length);
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
  return route_reply != NULL ? route_reply : check_query (call);
}
