/* The web page: a document for every address of the page, and the files that it needs, from memory.
 * The page itself is in web/ and calls the API. HTTP threads. */
#pragma once
#include "httpd/httpd.h"

/* Routes of the files. Lives as long as the process. */
const VendRoute *vend_web_routes (gsize *out_n);
/* Addresses of the page that come before routes of the API, for a browser that asks for HTML. */
const VendRoute *vend_web_pages (gsize *out_n);
/* The page for all other addresses, for such a browser: models, and what does not exist. */
const VendRoute *vend_web_other_page (void);

/* Changes with the page; a page that was loaded before compares it with its own. */
const char *vend_web_build (void);
