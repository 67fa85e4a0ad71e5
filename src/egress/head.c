/* Heads of HTTP/1 messages that pass through the proxy. */
#include "egress/head.h"
#include "base/error.h"
#include <string.h>

#define HTTP_PORT 80
#define MAX_METHOD 32

static const char *const hop_by_hop[] = {
  "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
  "trailer",    "upgrade",    "http2-settings"
};
/* "Connection: host" must not take these away. */
static const char *const needed[] = { "host", "content-length", "transfer-encoding" };

typedef struct
{
  char *name; /* as it was written */
  char *value;
} Header;

static void
header_clear (void *data)
{
  Header *header = data;
  g_free (header->name);
  g_free (header->value);
}

/* ---- Lines */

gsize
vend_head_find (const char *bytes, gsize size, bool lenient)
{
  const char *at = bytes;
  const char *const end = bytes + size;
  for (const char *lf; at < end && (lf = memchr (at, '\n', (gsize) (end - at))) != NULL;
       at = lf + 1)
    {
      if (end - lf >= 3 && lf[1] == '\r' && lf[2] == '\n')
        return (gsize) (lf + 3 - bytes);
      if (lenient && end - lf >= 2 && lf[1] == '\n')
        return (gsize) (lf + 2 - bytes);
    }
  return 0;
}

static bool
is_token (const char *text)
{
  if (*text == '\0')
    return false;
  for (const char *at = text; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr ("!#$%&'*+-.^_`|~", *at) == NULL)
      return false;
  return true;
}

static bool
is_value (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if ((g_ascii_iscntrl (*at) && *at != '\t') || *at == 0x7f)
      return false;
  return true;
}

static bool
is_one_of (const char *name, const char *const *list, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (g_ascii_strcasecmp (name, list[i]) == 0)
      return true;
  return false;
}

/* The lines of a head without its last, empty one. NULL when one has a NUL or a bare CR, or, unless
 * `lenient`, ends in a bare LF. */
static char **
split_lines (const char *head, gsize size, bool lenient)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  const char *at = head;
  const char *const end = head + size;
  for (const char *lf; at < end && (lf = memchr (at, '\n', (gsize) (end - at))) != NULL;
       at = lf + 1)
    {
      gsize length = (gsize) (lf - at);
      const bool has_cr = length > 0 && at[length - 1] == '\r';
      length -= has_cr ? 1 : 0;
      if ((!has_cr && !lenient) || memchr (at, '\0', length) != NULL
          || memchr (at, '\r', length) != NULL)
        return NULL;
      if (length > 0)
        g_ptr_array_add (lines, g_strndup (at, length));
    }
  g_ptr_array_add (lines, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&lines), FALSE);
}

/* All lines but the first. */
static GArray *
read_headers (char **lines, GError **error)
{
  g_autoptr (GArray) headers = g_array_new (FALSE, TRUE, sizeof (Header));
  g_array_set_clear_func (headers, header_clear);
  for (char **line = lines + 1; *line != NULL; line++)
    {
      char *colon = strchr (*line, ':');
      Header header = { 0 };
      if (colon != NULL)
        {
          header.name = g_strndup (*line, (gsize) (colon - *line));
          header.value = g_strstrip (g_strdup (colon + 1));
        }
      g_array_append_val (headers, header);
      if (colon == NULL || !is_token (header.name) || !is_value (header.value))
        {
          vend_fail (error, VEND_ERROR_INVALID, "line %u of the head is no header",
                     (guint) (line - lines) + 1);
          return NULL;
        }
    }
  return g_steal_pointer (&headers);
}

/* ---- What stays */

/* Lower case names that a Connection header lists. */
static GHashTable *
read_connection (const GArray *headers)
{
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < headers->len; i++)
    {
      const Header *header = &g_array_index (headers, Header, i);
      if (g_ascii_strcasecmp (header->name, "connection") != 0)
        continue;
      g_auto (GStrv) parts = g_strsplit (header->value, ",", -1);
      for (char **part = parts; *part != NULL; part++)
        if (!is_one_of (g_strstrip (*part), needed, G_N_ELEMENTS (needed)))
          g_hash_table_add (names, g_ascii_strdown (*part, -1));
    }
  return names;
}

/* `without`: one more name that is left out; or NULL. */
static void
write_headers (GString *out, const GArray *headers, const char *without)
{
  g_autoptr (GHashTable) listed = read_connection (headers);
  for (guint i = 0; i < headers->len; i++)
    {
      const Header *header = &g_array_index (headers, Header, i);
      g_autofree char *lower = g_ascii_strdown (header->name, -1);
      if (is_one_of (lower, hop_by_hop, G_N_ELEMENTS (hop_by_hop))
          || g_hash_table_contains (listed, lower) || g_strcmp0 (lower, without) == 0)
        continue;
      g_string_append_printf (out, "%s: %s\r\n", header->name, header->value);
    }
  g_string_append (out, "Connection: close\r\n");
}

/* ---- Requests */

void
vend_proxy_request_free (VendProxyRequest *request)
{
  if (request == NULL)
    return;
  vend_destination_clear (&request->to);
  if (request->anew != NULL)
    g_string_free (request->anew, TRUE);
  g_free (request);
}

static bool
read_body (VendProxyRequest *request, const GArray *headers, GError **error)
{
  guint sizes = 0, encodings = 0;
  for (guint i = 0; i < headers->len; i++)
    {
      const Header *header = &g_array_index (headers, Header, i);
      if (g_ascii_strcasecmp (header->name, "content-length") == 0)
        {
          guint64 size = 0;
          sizes++;
          if (!g_ascii_isdigit (header->value[0])
              || !g_ascii_string_to_unsigned (header->value, 10, 0, G_MAXINT64, &size, NULL))
            return vend_fail (error, VEND_ERROR_INVALID, "Content-Length: expected a number");
          request->body_size = size;
        }
      else if (g_ascii_strcasecmp (header->name, "transfer-encoding") == 0)
        {
          encodings++;
          request->body = VEND_BODY_CHUNKED;
          if (g_ascii_strcasecmp (header->value, "chunked") != 0)
            return vend_fail (error, VEND_ERROR_INVALID,
                              "Transfer-Encoding: only chunked passes through the proxy");
        }
    }
  if (sizes + encodings > 1)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the head says in more than one way how long the body is");
  return true;
}

/* "http://host:port/path?query". `*out_path` points into `target`. */
static bool
read_url (const char *target, VendProxyRequest *request, const char **out_path, GError **error)
{
  static const char scheme[] = "http://";
  if (g_ascii_strncasecmp (target, "https://", 8) == 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "https passes through a tunnel: use the method CONNECT");
  if (g_ascii_strncasecmp (target, scheme, strlen (scheme)) != 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "this is a proxy: expected CONNECT host:port or a URL with http://");
  const char *start = target + strlen (scheme);
  const gsize size = strcspn (start, "/?#\\");
  g_autofree char *authority = g_strndup (start, size);
  *out_path = start + size;
  if (strchr (authority, '@') != NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "the URL has a user name; send a header instead");
  if (strchr (*out_path, '#') != NULL || **out_path == '\\')
    return vend_fail (error, VEND_ERROR_INVALID, "the URL has a '#' or '\\'");
  return vend_destination_parse (authority, HTTP_PORT, &request->to, error);
}

static void
write_request (VendProxyRequest *request, const char *method, const char *path, const char *version,
               const GArray *headers)
{
  GString *anew = g_string_new (method);
  g_autofree char *host
      = request->to.port == HTTP_PORT ? NULL : vend_destination_text (&request->to);
  const bool v6 = strchr (request->to.host, ':') != NULL;
  g_string_append_c (anew, ' ');
  if (*path != '/')
    g_string_append_c (anew, *path == '\0' && strcmp (method, "OPTIONS") == 0 ? '*' : '/');
  g_string_append_printf (anew, "%s %s\r\n", path, version);
  if (host != NULL)
    g_string_append_printf (anew, "Host: %s\r\n", host);
  else
    g_string_append_printf (anew, v6 ? "Host: [%s]\r\n" : "Host: %s\r\n", request->to.host);
  write_headers (anew, headers, "host");
  g_string_append (anew, "Via: 1.1 vend\r\n\r\n");
  request->anew = anew;
}

static bool
is_target (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if ((guchar) *at <= ' ' || *at == 0x7f)
      return false;
  return *text != '\0';
}

bool
vend_head_read_request (const char *head, gsize size, VendProxyRequest **out, GError **error)
{
  g_auto (GStrv) lines = split_lines (head, size, false);
  g_autoptr (VendProxyRequest) request = g_new0 (VendProxyRequest, 1);
  if (lines == NULL || lines[0] == NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the head has a NUL, or a line that does not end in CR LF");
  g_auto (GStrv) words = g_strsplit (lines[0], " ", 4);
  if (g_strv_length (words) != 3 || !is_token (words[0]) || strlen (words[0]) > MAX_METHOD
      || !is_target (words[1])
      || (strcmp (words[2], "HTTP/1.1") != 0 && strcmp (words[2], "HTTP/1.0") != 0))
    return vend_fail (error, VEND_ERROR_INVALID, "the first line is no request of HTTP/1.1");
  g_autoptr (GArray) headers = read_headers (lines, error);
  if (headers == NULL)
    return false;
  const char *path = NULL;
  request->is_connect = strcmp (words[0], "CONNECT") == 0;
  request->is_head = strcmp (words[0], "HEAD") == 0;
  if (request->is_connect)
    {
      if (!vend_destination_parse (words[1], 0, &request->to, error))
        return false;
    }
  else if (!read_url (words[1], request, &path, error) || !read_body (request, headers, error))
    return false;
  else
    write_request (request, words[0], path, words[2], headers);
  *out = g_steal_pointer (&request);
  return true;
}

/* ---- Answers */

bool
vend_head_read_answer (const char *head, gsize size, GString **out, bool *out_is_interim,
                       GError **error)
{
  g_auto (GStrv) lines = split_lines (head, size, true);
  const char *first = lines != NULL ? lines[0] : NULL;
  if (first == NULL || !g_str_has_prefix (first, "HTTP/1.") || !g_ascii_isdigit (first[7])
      || first[8] != ' ' || !g_ascii_isdigit (first[9]) || !g_ascii_isdigit (first[10])
      || !g_ascii_isdigit (first[11]) || (first[12] != ' ' && first[12] != '\0')
      || !is_value (first))
    return vend_fail (error, VEND_ERROR_INVALID, "the first line is no answer of HTTP/1.1");
  const bool is_interim = first[9] == '1';
  GString *anew = g_string_new (NULL);
  if (is_interim)
    g_string_append_len (anew, head, (gssize) size);
  else
    {
      g_autoptr (GArray) headers = read_headers (lines, error);
      if (headers == NULL)
        {
          g_string_free (anew, TRUE);
          return false;
        }
      g_string_append_printf (anew, "%s\r\n", first);
      write_headers (anew, headers, NULL);
      g_string_append (anew, "\r\n");
    }
  *out = anew;
  *out_is_interim = is_interim;
  return true;
}
