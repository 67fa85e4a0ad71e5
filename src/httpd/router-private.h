/* Matching of method and path to a route. Pure; a router is read-only after it is made. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "httpd/httpd.h"

#define VEND_ROUTER_MAX_SEGMENTS 16
#define VEND_ROUTER_MAX_PARAMS 8
#define VEND_ROUTER_INLINE_BYTES 384

typedef struct VendRouter VendRouter;

typedef enum
{
  VEND_MATCH_FOUND,
  VEND_MATCH_NO_PATH,
  VEND_MATCH_NO_METHOD,
  VEND_MATCH_BAD_PATH, /* bad percent-encoding, NUL, not UTF-8, "." or ".." segments */
} VendMatchResult;

/* The route of a request. Holds its own decoded text; clear with vend_match_clear. */
typedef struct
{
  const VendRoute *route;
  const char *const *names; /* of the parameters; belongs to the router */
  const char *path;         /* decoded, with the pattern's prefix */
  const char *values[VEND_ROUTER_MAX_PARAMS];
  guint n_params;
  char *text; /* NULL while `room` suffices */
  char room[VEND_ROUTER_INLINE_BYTES];
} VendMatch;

/* Copies the routes; an invalid pattern aborts. */
VendRouter *vend_router_new (const VendRoute *routes, gsize n);
void vend_router_free (VendRouter *router);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendRouter, vend_router_free)

/* `raw_path` is as sent, without the query. `*out` is always set and must be cleared. */
VendMatchResult vend_router_match (const VendRouter *router, const char *method,
                                   const char *raw_path, VendMatch *out);
/* "GET, HEAD, POST" for a path with routes for other methods. Free with g_free. */
char *vend_router_allow (const VendRouter *router, const char *raw_path);
void vend_match_clear (VendMatch *match);
const char *vend_match_param (const VendMatch *match, const char *name); /* NULL when unknown */

/* Decodes %XX of `size` bytes into `out` (at least `size` + 1 bytes). False on a bad sequence, a
 * NUL or text that is not UTF-8. */
bool vend_percent_decode (const char *text, gsize size, char *out, gsize *out_size);
