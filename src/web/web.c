/* The web page: a document for every address of the page, and the files that it needs. */
#include "web/web.h"
#include "base/hash.h"
#include "web/assets.h"
#include <string.h>

#define DOCUMENT "/index.html"
#define HASHED "/assets/"
#define SHARED "/s/{token}"
#define HEAD_END "</head>"

/* Scripts and styles only from here, nothing inline; pictures and sounds of models may lie on other
 * hosts. */
#define POLICY \
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; " \
  "worker-src 'self'; img-src 'self' data: blob: https: http:; media-src 'self' data: blob: " \
  "https: " \
  "http:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

#define N_PAGES 14

struct VendWeb
{
  VendWebTell tell;
  void *data;
  VendRoute pages[N_PAGES];
  VendRoute other;
  VendRoute preview;
};

static const VendWebAsset *
find_asset (const char *path)
{
  for (const VendWebAsset *asset = vend_web_assets; asset->path != NULL; asset++)
    if (strcmp (asset->path, path) == 0)
      return asset;
  return NULL;
}

const char *
vend_web_build (void)
{
  return vend_web_assets_build;
}

/* A token of a list such as "gzip, br;q=0.5" that is not refused by q=0. */
static bool
accepts_gzip (VendCall *call)
{
  const char *header = vend_call_header (call, "Accept-Encoding");
  g_auto (GStrv) codings = g_strsplit (header != NULL ? header : "", ",", -1);
  for (char **coding = codings; *coding != NULL; coding++)
    {
      g_auto (GStrv) parts = g_strsplit (*coding, ";", 2);
      if (parts[0] == NULL || g_ascii_strcasecmp (g_strstrip (parts[0]), "gzip") != 0)
        continue;
      const char *weight = parts[1] != NULL ? strstr (parts[1], "q=") : NULL;
      return weight == NULL || g_ascii_strtod (weight + 2, NULL) > 0;
    }
  return false;
}

static void
add_headers (VendReply *reply, const VendWebAsset *asset, const char *etag)
{
  const bool is_hashed = g_str_has_prefix (asset->path, HASHED);
  vend_reply_header (reply, "ETag", etag);
  vend_reply_header (reply, "Cache-Control",
                     is_hashed ? "public, max-age=31536000, immutable" : "no-cache");
  vend_reply_header (reply, "Vary", "Accept-Encoding");
  vend_reply_header (reply, "X-Content-Type-Options", "nosniff");
  vend_reply_header (reply, "Content-Security-Policy", POLICY);
  vend_reply_header (reply, "Referrer-Policy", "no-referrer");
  vend_reply_header (reply, "Cross-Origin-Opener-Policy", "same-origin");
  vend_reply_header (reply, "Vend-Web-Build", vend_web_build ());
}

static VendReply *
reply_asset (VendCall *call, const VendWebAsset *asset)
{
  const bool is_packed = asset->gzip != NULL && accepts_gzip (call);
  g_autofree char *etag = g_strdup_printf ("\"%s%s\"", asset->hash, is_packed ? "-gz" : "");
  const char *seen = vend_call_header (call, "If-None-Match");
  VendReply *reply;
  if (seen != NULL && strstr (seen, etag) != NULL)
    reply = vend_reply_empty (304);
  else if (is_packed)
    {
      reply = vend_reply_static (200, asset->type, asset->gzip, asset->gzip_size);
      vend_reply_header (reply, "Content-Encoding", "gzip");
    }
  else
    reply = vend_reply_static (200, asset->type, asset->bytes, asset->size);
  add_headers (reply, asset, etag);
  return reply;
}

/* The document with what it says of itself; not compressed, as it is short. */
static VendReply *
reply_with_card (VendCall *call, const VendWebAsset *document, const VendPageCard *card)
{
  g_autofree char *url = g_strconcat (vend_call_origin (call), vend_call_path (call), NULL);
  g_autofree char *tags = vend_page_card_html (card, url);
  g_autofree char *text = g_strndup ((const char *) document->bytes, document->size);
  const char *end = strstr (text, HEAD_END);
  if (end == NULL)
    return reply_asset (call, document);
  char *whole = g_strdup_printf ("%.*s%s%s", (int) (end - text), text, tags, end);
  g_autofree char *hash = vend_sha256_text (whole);
  g_autofree char *etag = g_strdup_printf ("\"%.32s\"", hash);
  const char *seen = vend_call_header (call, "If-None-Match");
  const bool is_same = seen != NULL && strstr (seen, etag) != NULL;
  VendReply *reply = is_same ? vend_reply_empty (304)
                             : vend_reply_take (200, document->type, whole, strlen (whole));
  if (is_same)
    g_free (whole);
  add_headers (reply, document, etag);
  return reply;
}

static VendReply *
not_found (void)
{
  return vend_reply_problem_json (404, json_pack ("{s:s, s:s, s:i}", "title", "Not found", "detail",
                                                  "The requested resource could not be found.",
                                                  "status", 404));
}

static void
send_asset (VendCall *call, void *unused)
{
  const VendWebAsset *asset = find_asset (vend_call_path (call));
  vend_call_reply (call, asset != NULL ? reply_asset (call, asset) : not_found ());
}

/* NULL when there is nothing to tell. */
static VendReply *
told (VendCall *call, const VendWeb *web, const VendWebAsset *document)
{
  g_auto (VendPageCard) card = { 0 };
  return web != NULL && web->tell != NULL && web->tell (call, &card, web->data)
             ? reply_with_card (call, document, &card)
             : NULL;
}

static void
send_document (VendCall *call, void *context)
{
  static const char absent[] = "This build of Vend has no web page: it was made without Node. The "
                               "API and the command line are complete.\n";
  const VendWebAsset *document = find_asset (DOCUMENT);
  VendReply *reply = document != NULL ? told (call, context, document) : NULL;
  if (reply == NULL && document != NULL)
    reply = reply_asset (call, document);
  vend_call_reply (call, reply != NULL ? reply
                                       : vend_reply_static (200, "text/plain; charset=utf-8",
                                                            absent, sizeof absent - 1));
}

/* Where other things than pages live: a page would only hide that they are not there. */
static bool
is_reserved (const char *path)
{
  static const char *const reserved[] = { "/v1/", "/v2/", "/-/", "/openai/", "/mcp/", HASHED };
  for (guint i = 0; i < G_N_ELEMENTS (reserved); i++)
    if (g_str_has_prefix (path, reserved[i]))
      return true;
  return false;
}

static void
send_other (VendCall *call, void *context)
{
  if (is_reserved (vend_call_path (call)))
    vend_call_reply (call, not_found ());
  else
    send_document (call, context);
}

static void
send_preview (VendCall *call, void *context)
{
  const VendWebAsset *document = find_asset (DOCUMENT);
  VendReply *reply = document != NULL && !is_reserved (vend_call_path (call))
                         ? told (call, context, document)
                         : NULL;
  vend_call_reply (call, reply != NULL ? reply : not_found ());
}

#define PAGE(pattern_) { .method = "GET", .pattern = (pattern_), .handler = send_document }
#define ASSET(pattern_) { .method = "GET", .pattern = (pattern_), .handler = send_asset }

/* All that web/src/routes.ts has, but models: their addresses could be those of the API. */
static const VendRoute pages[N_PAGES] = {
  PAGE ("/"),
  PAGE ("/explore"),
  PAGE ("/sign-in"),
  PAGE ("/collections/{slug}"),
  PAGE ("/predictions"),
  PAGE ("/trainings"),
  PAGE ("/p/{id}"),
  PAGE (SHARED),
  PAGE ("/deployments"),
  PAGE ("/deployments/{owner}/{name}"),
  PAGE ("/operate"),
  PAGE ("/operate/{tab}"),
  PAGE ("/account"),
  PAGE ("/account/{tab}"),
};

static const VendRoute routes[] = {
  ASSET ("/assets/{name}"),
  ASSET ("/icon.svg"),
  ASSET ("/theme.js"),
};

const VendRoute *
vend_web_routes (gsize *out_n)
{
  *out_n = G_N_ELEMENTS (routes);
  return routes;
}

VendWeb *
vend_web_new (VendWebTell tell, void *data)
{
  VendWeb *web = g_new0 (VendWeb, 1);
  web->tell = tell;
  web->data = data;
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      web->pages[i] = pages[i];
      /* The others have nothing to tell strangers. */
      if (strcmp (pages[i].pattern, SHARED) == 0)
        web->pages[i].context = web;
    }
  web->other = (VendRoute){
    .method = "GET", .pattern = "/{path*}", .handler = send_other, .context = web
  };
  web->preview = web->other;
  web->preview.handler = send_preview;
  return web;
}

void
vend_web_free (VendWeb *web)
{
  g_free (web);
}

const VendRoute *
vend_web_pages (const VendWeb *web, gsize *out_n)
{
  *out_n = G_N_ELEMENTS (web->pages);
  return web->pages;
}

const VendRoute *
vend_web_other_page (const VendWeb *web)
{
  return &web->other;
}

const VendRoute *
vend_web_preview_page (const VendWeb *web)
{
  return &web->preview;
}
