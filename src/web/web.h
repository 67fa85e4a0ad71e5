/* The web page: a document for every address of the page, and the files that it needs, from memory.
 * The page itself is in web/ and calls the API. HTTP threads. */
#pragma once
#include "httpd/httpd.h"
#include "model/page-card.h"

typedef struct VendWeb VendWeb;

/* What strangers may be told of the page at the call's address; false: nothing. */
typedef bool (*VendWebTell) (VendCall *call, VendPageCard *out, void *data);

/* `tell` may be NULL. Outlives the HTTP server. */
VendWeb *vend_web_new (VendWebTell tell, void *data) G_GNUC_WARN_UNUSED_RESULT;
void vend_web_free (VendWeb *web);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendWeb, vend_web_free)

/* Routes of the files. */
const VendRoute *vend_web_routes (gsize *out_n);
/* Addresses of the page that come before routes of the API, for a browser that asks for HTML. */
const VendRoute *vend_web_pages (const VendWeb *web, gsize *out_n);
/* The page for all other addresses, for such a browser: models, and what does not exist. */
const VendRoute *vend_web_other_page (const VendWeb *web);
/* The same for programs that preview a link, and do not ask for HTML: only where there is something
 * to tell. */
const VendRoute *vend_web_preview_page (const VendWeb *web);

/* Changes with the page; a page that was loaded before compares it with its own. */
const char *vend_web_build (void);
