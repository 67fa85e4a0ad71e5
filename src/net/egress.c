/* The one way to URLs from users. Runs on the thread of its context. */
#include "net/egress.h"
#include "base/clock.h"
#include "base/error.h"
#include "net/curl-context.h"
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_S 10L
#define PROTOCOLS "http,https"
#define USER_AGENT "vend"

struct VendEgress
{
  VendCurlContext *curl;
  const VendNetworks *allow;
  char *setting;
};

struct VendEgressCall
{
  VendEgress *egress;
  CURL *easy;
  struct curl_slist *headers;
  uint64_t max_size;
  uint64_t size;
  bool too_large;
  char *refused; /* the refused address */
  bool (*sink) (const char *bytes, gsize size, void *data);
  void (*done) (const VendEgressResponse *answer, void *data);
  void *data;
  char problem[CURL_ERROR_SIZE];
};

VendEgress *
vend_egress_new (GMainContext *context, const VendNetworks *allow, const char *setting)
{
  VendEgress *egress = g_new0 (VendEgress, 1);
  egress->curl = vend_curl_context_new (context);
  egress->allow = allow;
  egress->setting = g_strdup (setting);
  return egress;
}

void
vend_egress_free (VendEgress *egress)
{
  if (egress == NULL)
    return;
  vend_curl_context_free (egress->curl);
  g_free (egress->setting);
  g_free (egress);
}

/* ---- The filter */

static bool
may_call (const VendNetworks *allow, const VendAddress *address)
{
  return vend_address_is_public (address) || vend_networks_contain (allow, address);
}

/* The filter: every connection passes here with its real address. */
static curl_socket_t
open_socket (void *user_data, curlsocktype purpose, struct curl_sockaddr *to)
{
  VendEgressCall *call = user_data;
  VendAddress address;
  if (purpose != CURLSOCKTYPE_IPCXN || !vend_address_of_sockaddr (&to->addr, &address))
    return CURL_SOCKET_BAD;
  if (!may_call (call->egress->allow, &address))
    {
      g_free (call->refused);
      call->refused = vend_address_text (&address);
      return CURL_SOCKET_BAD;
    }
  return socket (to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* ---- One call */

static void
call_free (VendEgressCall *call)
{
  curl_slist_free_all (call->headers);
  g_free (call->refused);
  g_free (call);
}

static size_t
on_bytes (char *bytes, size_t size, size_t n, void *user_data)
{
  VendEgressCall *call = user_data;
  call->size += size * n;
  call->too_large = call->size > call->max_size;
  if (call->too_large)
    return CURL_WRITEFUNC_ERROR;
  if (call->sink != NULL && !call->sink (bytes, size * n, call->data))
    return CURL_WRITEFUNC_ERROR;
  return size * n;
}

static char *
problem_of (const VendEgressCall *call, CURLcode result)
{
  if (call->too_large)
    return g_strdup_printf ("the answer is larger than %" G_GUINT64_FORMAT " bytes",
                            call->max_size);
  if (call->refused != NULL && result == CURLE_COULDNT_CONNECT)
    return g_strdup_printf ("%s is not a public address; the operator may allow it with --%s",
                            call->refused, call->egress->setting);
  return g_strdup (call->problem[0] != '\0' ? call->problem : curl_easy_strerror (result));
}

static void
on_done (CURL *easy, CURLcode result, void *user_data)
{
  VendEgressCall *call = user_data;
  char *type = NULL;
  call->too_large = call->too_large || result == CURLE_FILESIZE_EXCEEDED;
  VendEgressResponse answer = { .too_large = call->too_large };
  g_autofree char *problem = result != CURLE_OK ? problem_of (call, result) : NULL;
  curl_easy_getinfo (easy, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_getinfo (easy, CURLINFO_CONTENT_TYPE, &type);
  answer.content_type = type;
  answer.problem = problem;
  call->done (&answer, call->data);
  curl_easy_cleanup (easy);
  call_free (call);
}

static void
set_limits (CURL *easy, const VendEgressRequest *request)
{
  curl_easy_setopt (easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
  curl_easy_setopt (easy, CURLOPT_TIMEOUT_MS, (long) (request->timeout_us / VEND_US_PER_MS));
  if (request->stall_us > 0)
    {
      const int64_t s = MAX (request->stall_us / VEND_US_PER_S, 1);
      curl_easy_setopt (easy, CURLOPT_LOW_SPEED_LIMIT,
                        (long) CLAMP (request->min_speed, 1, G_MAXINT32));
      curl_easy_setopt (easy, CURLOPT_LOW_SPEED_TIME, (long) s);
    }
  if (request->sink != NULL)
    curl_easy_setopt (easy, CURLOPT_MAXFILESIZE_LARGE,
                      (curl_off_t) MIN (request->max_size, (uint64_t) G_MAXINT64));
  curl_easy_setopt (easy, CURLOPT_FOLLOWLOCATION, request->max_redirects > 0 ? 1L : 0L);
  curl_easy_setopt (easy, CURLOPT_MAXREDIRS, (long) request->max_redirects);
}

static void
set_guards (CURL *easy, VendEgressCall *call)
{
  curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, PROTOCOLS);
  curl_easy_setopt (easy, CURLOPT_REDIR_PROTOCOLS_STR, PROTOCOLS);
  curl_easy_setopt (easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt (easy, CURLOPT_OPENSOCKETDATA, call);
  /* No proxy of the environment: a proxy would look up addresses itself. */
  curl_easy_setopt (easy, CURLOPT_PROXY, "");
  /* Else the end of a call waits for a name server that does not answer. */
  curl_easy_setopt (easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
}

VendEgressCall *
vend_egress_start (VendEgress *egress, const VendEgressRequest *request)
{
  VendEgressCall *call = g_new0 (VendEgressCall, 1);
  CURL *easy = curl_easy_init ();
  g_assert (easy != NULL);
  *call = (VendEgressCall){ .egress = egress,
                            .easy = easy,
                            .max_size = request->max_size,
                            .sink = request->sink,
                            .done = request->done,
                            .data = request->data };
  for (gsize i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
    call->headers = curl_slist_append (call->headers, request->headers[i]);
  set_guards (easy, call);
  set_limits (easy, request);
  curl_easy_setopt (easy, CURLOPT_URL, request->url);
  curl_easy_setopt (easy, CURLOPT_USERAGENT, USER_AGENT);
  curl_easy_setopt (easy, CURLOPT_ERRORBUFFER, call->problem);
  curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt (easy, CURLOPT_WRITEDATA, call);
  if (request->body != NULL)
    {
      curl_easy_setopt (easy, CURLOPT_POST, 1L);
      curl_easy_setopt (easy, CURLOPT_POSTFIELDS, request->body);
      curl_easy_setopt (easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_size);
      /* Without "Expect": large bodies would wait a second for a "100 Continue" that few servers
       * send. */
      call->headers = curl_slist_append (call->headers, "Expect:");
    }
  curl_easy_setopt (easy, CURLOPT_HTTPHEADER, call->headers);
  vend_curl_context_start (egress->curl, easy, on_done, call);
  return call;
}

long
vend_egress_status (const VendEgressCall *call)
{
  long status = 0;
  curl_easy_getinfo (call->easy, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

void
vend_egress_cancel (VendEgressCall *call)
{
  vend_curl_context_cancel (call->egress->curl, call->easy);
  call_free (call);
}

/* ---- Checks without a look-up */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CURLU, curl_url_cleanup)

static char *
part_of (CURLU *url, CURLUPart which)
{
  char *text = NULL;
  if (curl_url_get (url, which, &text, 0) != CURLUE_OK)
    return NULL;
  char *copy = g_strdup (text);
  curl_free (text);
  return copy;
}

/* "[::1]" without brackets, names without the final dot; lower case. Changes `host`. */
static char *
bare_host (char *host)
{
  gsize size = strlen (host);
  if (host[0] == '[' && size > 1 && host[size - 1] == ']')
    {
      host[size - 1] = '\0';
      return host + 1;
    }
  if (size > 0 && host[size - 1] == '.')
    host[size - 1] = '\0';
  for (char *at = host; *at != '\0'; at++)
    *at = g_ascii_tolower (*at);
  return host;
}

/* libcurl takes "http:///x" for a host x, other parsers for no host. */
static bool
has_authority (const char *url)
{
  const char *slashes = strstr (url, "://");
  return slashes != NULL && strchr ("/\\?#", slashes[3]) == NULL;
}

static bool
check_host (const char *field, char *host, const VendNetworks *allow, const char *setting,
            GError **error)
{
  const char *bare = bare_host (host);
  VendAddress address, v6;
  bool good = true;
  if (strcmp (bare, "localhost") == 0 || g_str_has_suffix (bare, ".localhost"))
    good = (vend_address_parse ("127.0.0.1", &address) && may_call (allow, &address))
           || (vend_address_parse ("::1", &v6) && may_call (allow, &v6));
  else if (vend_address_parse (bare, &address))
    good = may_call (allow, &address);
  return good
         || vend_fail (error, VEND_ERROR_INVALID,
                       "%s: %s is not a public address; the operator may allow it with --%s", field,
                       bare, setting);
}

/* A host name in the form that resolvers look up: full-width and circled letters, digits of any
 * script, and other dots are replaced by their plain forms. NULL when not UTF-8. */
static char *
plain_host (const char *host)
{
  g_autofree char *composed = g_utf8_normalize (host, -1, G_NORMALIZE_ALL_COMPOSE);
  if (composed == NULL)
    return NULL;
  GString *plain = g_string_new (NULL);
  for (const char *at = composed; *at != '\0'; at = g_utf8_next_char (at))
    {
      const gunichar c = g_utf8_get_char (at);
      const int digit = g_unichar_digit_value (c);
      if (c == 0x3002 || c == 0xff0e || c == 0xff61)
        g_string_append_c (plain, '.');
      else if (digit >= 0)
        g_string_append_c (plain, (char) ('0' + digit));
      else if (g_unichar_type (c) != G_UNICODE_FORMAT)
        g_string_append_unichar (plain, c);
    }
  return g_string_free (plain, FALSE);
}

static bool
check_other_letters (const char *field, const char *host, const VendNetworks *allow,
                     const char *setting, GError **error)
{
  if (g_str_is_ascii (host))
    return true;
  g_autofree char *plain = plain_host (host);
  g_autofree char *url = g_strconcat ("http://", plain, "/", NULL);
  g_autoptr (CURLU) parsed = curl_url ();
  g_autofree char *read = NULL;
  if (plain != NULL && parsed != NULL && curl_url_set (parsed, CURLUPART_URL, url, 0) == CURLUE_OK)
    read = part_of (parsed, CURLUPART_HOST);
  if (read == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "%s: the host is not a name", field);
  return check_host (field, read, allow, setting, error);
}

bool
vend_egress_check (const char *field, const char *url, const VendNetworks *allow,
                   const char *setting, GError **error)
{
  g_autoptr (CURLU) parsed = curl_url ();
  if (strlen (url) > VEND_OUTSIDE_URL_MAX)
    return vend_fail (error, VEND_ERROR_INVALID, "%s: expected at most %d bytes, got %zu", field,
                      VEND_OUTSIDE_URL_MAX, strlen (url));
  bool good = parsed != NULL && has_authority (url)
              && curl_url_set (parsed, CURLUPART_URL, url, 0) == CURLUE_OK;
  g_autofree char *scheme = good ? part_of (parsed, CURLUPART_SCHEME) : NULL;
  g_autofree char *host = good ? part_of (parsed, CURLUPART_HOST) : NULL;
  if (scheme == NULL || host == NULL || *host == '\0'
      || (strcmp (scheme, "http") != 0 && strcmp (scheme, "https") != 0))
    return vend_fail (error, VEND_ERROR_INVALID, "%s: expected an http or https URL", field);
  g_autofree char *user = part_of (parsed, CURLUPART_USER);
  g_autofree char *password = part_of (parsed, CURLUPART_PASSWORD);
  if (user != NULL || password != NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "%s: expected a URL without user and password, which replies would show",
                      field);
  return check_other_letters (field, host, allow, setting, error)
         && check_host (field, host, allow, setting, error);
}
