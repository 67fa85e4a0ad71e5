/* CORS: origins that may call, and the headers for browsers. */
#include "httpd/cors-private.h"
#include "base/error.h"
#include <string.h>

/* Browsers limit the time to two hours or less. */
#define MAX_AGE_S "7200"
/* Headers that a page may read besides the safelisted ones. */
#define EXPOSED \
  "ETag, Location, Preference-Applied, Retry-After, ratelimit-remaining, ratelimit-reset, " \
  "retry-after-ms, x-request-id, x-should-retry, x-vend-ignored"

struct VendCors
{
  bool all;
  char **origins; /* in lower case */
};

static bool
is_origin (const char *text)
{
  const char *rest = g_str_has_prefix (text, "https://")  ? text + 8
                     : g_str_has_prefix (text, "http://") ? text + 7
                                                          : NULL;
  return rest != NULL && *rest != '\0' && strpbrk (rest, "/ *?#@") == NULL;
}

bool
vend_cors_new (const char *origins, VendCors **out, GError **error)
{
  g_autoptr (VendCors) cors = g_new0 (VendCors, 1);
  g_autofree char *lower = g_ascii_strdown (origins != NULL ? origins : "", -1);
  cors->all = strcmp (g_strstrip (lower), "*") == 0;
  cors->origins = g_strsplit (cors->all ? "" : lower, ",", -1);
  for (char **origin = cors->origins; *origin != NULL; origin++)
    if (!is_origin (g_strstrip (*origin)) && **origin != '\0')
      return vend_fail (error, VEND_ERROR_INVALID,
                        "'%s' is not an origin such as https://app.example; '*' alone means all",
                        *origin);
  *out = g_steal_pointer (&cors);
  return true;
}

void
vend_cors_free (VendCors *cors)
{
  if (cors == NULL)
    return;
  g_strfreev (cors->origins);
  g_free (cors);
}

char *
vend_cors_allowed (const VendCors *cors, const char *origin)
{
  if (cors->all)
    return g_strdup ("*");
  if (origin == NULL)
    return NULL;
  g_autofree char *lower = g_ascii_strdown (origin, -1);
  return *lower != '\0' && g_strv_contains ((const char *const *) cors->origins, lower)
             ? g_strdup (origin)
             : NULL;
}

static char *
allowed_origin (const VendCors *cors, VendCall *call)
{
  const bool asks = !cors->all && cors->origins[0] != NULL;
  return vend_cors_allowed (cors, asks ? vend_call_header (call, "Origin") : NULL);
}

void
vend_cors_mark (const VendCors *cors, VendCall *call, VendReply *reply)
{
  g_autofree char *origin = allowed_origin (cors, call);
  if (origin == NULL)
    return;
  vend_reply_header (reply, "Access-Control-Allow-Origin", origin);
  vend_reply_header (reply, "Access-Control-Expose-Headers", EXPOSED);
  if (!cors->all)
    vend_reply_header (reply, "Vary", "Origin");
}

VendReply *
vend_cors_preflight (const VendCors *cors, VendCall *call, const char *allow)
{
  if (strcmp (vend_call_method (call), "OPTIONS") != 0
      || vend_call_header (call, "Access-Control-Request-Method") == NULL)
    return NULL;
  g_autofree char *origin = allowed_origin (cors, call);
  if (origin == NULL)
    return NULL;
  VendReply *reply = vend_reply_empty (204);
  const char *headers = vend_call_header (call, "Access-Control-Request-Headers");
  vend_reply_header (reply, "Access-Control-Allow-Methods", allow);
  if (headers != NULL)
    vend_reply_header (reply, "Access-Control-Allow-Headers", headers);
  vend_reply_header (reply, "Access-Control-Max-Age", MAX_AGE_S);
  return reply;
}
