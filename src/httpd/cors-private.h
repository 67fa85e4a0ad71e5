/* CORS: origins that may call, and the headers for browsers. By the Fetch standard's CORS protocol;
 * cookies play no part, since callers send a token. Connection threads. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "httpd/httpd.h"

typedef struct VendCors VendCors;

/* `origins`: "*", "https://a.example,http://localhost:3000", or NULL or "" for none. */
bool vend_cors_new (const char *origins, VendCors **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_cors_free (VendCors *cors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCors, vend_cors_free)

/* The header value that admits a page of `origin` (may be NULL); NULL when the page is not
 * admitted. Free with g_free. */
char *vend_cors_allowed (const VendCors *cors, const char *origin);
/* Lets the page of `call` read `reply`. */
void vend_cors_mark (const VendCors *cors, VendCall *call, VendReply *reply);
/* The answer to a preflight request; NULL when `call` is none, or its page is not admitted. `allow`
 * is the list of methods. */
VendReply *vend_cors_preflight (const VendCors *cors, VendCall *call, const char *allow);
