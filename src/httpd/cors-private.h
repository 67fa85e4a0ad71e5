/* CORS: the origins whose pages may call, and the headers for their browsers. The Fetch standard's
 * CORS protocol; nothing here depends on cookies, since callers show a token. Connection threads.
 */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "httpd/httpd.h"

typedef struct VendCors VendCors;

/* `origins`: "*", "https://a.example,http://localhost:3000", or NULL or "" for none. */
bool vend_cors_new (const char *origins, VendCors **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_cors_free (VendCors *cors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCors, vend_cors_free)

/* The value that lets a page of `origin` (may be NULL) in; NULL when it may not. Free with g_free.
 */
char *vend_cors_allowed (const VendCors *cors, const char *origin);
/* Lets the page that made `call` read `reply`. */
void vend_cors_mark (const VendCors *cors, VendCall *call, VendReply *reply);
/* The answer to a browser that asks before it calls; NULL when `call` is no such question, or not
 * from a page that may. `allow` is the list of methods there. */
VendReply *vend_cors_preflight (const VendCors *cors, VendCall *call, const char *allow);
