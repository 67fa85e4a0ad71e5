/* The session of the web page: a cookie, which counts only for requests of the page itself. */
#include "api/web-session.h"
#include "base/clock.h"
#include <string.h>

/* Browsers keep a name with this prefix for HTTPS, the whole host and no other. */
#define HOST_ONLY "__Host-"
#define COOKIE "vend_session"
#define MAX_SECRET 256

static bool
is_https (VendCall *call)
{
  return g_str_has_prefix (vend_call_origin (call), "https:");
}

/* Browsers share cookies between the ports of a host, so the port is part of the name. */
static char *
cookie_name (VendCall *call)
{
  const char *prefix = is_https (call) ? HOST_ONLY : "";
  const char *port = strrchr (vend_call_origin (call), ':') + 1;
  if (*port == '\0' || strspn (port, "0123456789") != strlen (port))
    return g_strconcat (prefix, COOKIE, NULL);
  return g_strconcat (prefix, COOKIE "_", port, NULL);
}

char *
vend_web_session_secret (VendCall *call)
{
  const char *header = vend_call_header (call, "Cookie");
  g_autofree char *name = cookie_name (call);
  g_autofree char *wanted = g_strconcat (name, "=", NULL);
  if (header == NULL)
    return NULL;
  g_auto (GStrv) cookies = g_strsplit (header, ";", -1);
  for (char **cookie = cookies; *cookie != NULL; cookie++)
    {
      const char *text = g_strstrip (*cookie);
      if (g_str_has_prefix (text, wanted) && strlen (text) <= MAX_SECRET)
        return g_strdup (text + strlen (wanted));
    }
  return NULL;
}

bool
vend_web_session_is_own_page (VendCall *call)
{
  const char *method = vend_call_method (call);
  const bool only_reads = strcmp (method, "GET") == 0 || strcmp (method, "HEAD") == 0;
  const char *site = vend_call_header (call, "Sec-Fetch-Site");
  const char *origin = vend_call_header (call, "Origin");
  /* "none": typed or opened by the person, without a page. */
  if (site != NULL)
    return strcmp (site, "same-origin") == 0 || (only_reads && strcmp (site, "none") == 0);
  if (origin != NULL)
    return g_ascii_strcasecmp (origin, vend_call_origin (call)) == 0;
  return only_reads;
}

void
vend_web_session_set_cookie (VendCall *call, const char *secret, int64_t life_us)
{
  g_autofree char *name = cookie_name (call);
  g_autofree char *cookie = g_strdup_printf (
      "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%" G_GINT64_FORMAT "%s", name,
      secret != NULL ? secret : "", secret != NULL ? life_us / VEND_US_PER_S : 0,
      is_https (call) ? "; Secure" : "");
  vend_call_reply_header (call, "Set-Cookie", cookie);
}
