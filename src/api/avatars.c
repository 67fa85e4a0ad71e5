/* Pictures of accounts, drawn from their names: there is nothing to upload, and none is missing. */
#include "api/api-private.h"
#include "base/hash.h"
#include <string.h>

#define CELLS 5
#define CELL 8
#define SUFFIX ".svg"

static guint
digit (const char *hex, gsize i)
{
  return (guint) g_ascii_xdigit_value (hex[i]);
}

/* A grid that is the same on both sides, in one colour. */
static char *
draw (const char *username)
{
  g_autofree char *hash = vend_sha256_text (username);
  const guint hue = (digit (hash, 0) * 16 + digit (hash, 1)) * 360 / 256;
  const guint side = (CELLS + 1) * CELL;
  GString *svg = g_string_new (NULL);
  g_string_append_printf (svg,
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\">"
                          "<rect width=\"%u\" height=\"%u\" fill=\"hsl(%u 45%% 92%%)\"/>"
                          "<path fill=\"hsl(%u 55%% 45%%)\" d=\"",
                          side, side, side, side, hue, hue);
  for (guint x = 0; x < CELLS; x++)
    for (guint y = 0; y < CELLS; y++)
      {
        const guint mirrored = MIN (x, CELLS - 1 - x);
        if (digit (hash, 2 + mirrored * CELLS + y) % 2 == 0)
          g_string_append_printf (svg, "M%u %uh%uv%uh-%uz", x * CELL + CELL / 2,
                                  y * CELL + CELL / 2, CELL, CELL, CELL);
      }
  g_string_append (svg, "\"/></svg>\n");
  return g_string_free (svg, FALSE);
}

/* Also for names that no account has: it does not tell which there are. */
static bool
get_avatar (VendApi *api, VendCall *call, VendCaller *nobody, VendReply **out, GError **error)
{
  const char *file = vend_call_param (call, "file");
  if (!g_str_has_suffix (file, SUFFIX))
    return vend_api_not_found (error);
  g_autofree char *username = g_strndup (file, strlen (file) - strlen (SUFFIX));
  if (!vend_name_check ("username", username, NULL))
    return vend_api_not_found (error);
  char *svg = draw (username);
  *out = vend_reply_take (200, "image/svg+xml", svg, strlen (svg));
  vend_reply_header (*out, "Cache-Control", "public, max-age=86400");
  vend_reply_header (*out, "X-Content-Type-Options", "nosniff");
  vend_reply_header (*out, "Content-Security-Policy", "sandbox; default-src 'none'");
  return true;
}

const ApiRoute vend_api_avatar_routes[] = {
  { "GET", "/-/avatars/{file}", 0, VEND_BODY_NONE, get_avatar, NULL, .runs_on = VEND_RUN_AT_ONCE },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
