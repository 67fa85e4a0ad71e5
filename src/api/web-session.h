/* The session of the web page: a cookie, which counts only for requests of the page itself. Any
 * thread. */
#pragma once
#include "auth/auth.h"
#include "httpd/httpd.h"

/* The secret in the cookie, or NULL. Free with g_free. */
char *vend_web_session_secret (VendCall *call) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the request comes from the page of this server and no other, as far as the browser says
 * (Sec-Fetch-Site, Origin). Other ports of the host are other sites here, though a browser sends
 * them the same cookies. */
bool vend_web_session_is_own_page (VendCall *call);

/* Sets the cookie of the coming reply; NULL removes it. */
void vend_web_session_set_cookie (VendCall *call, const char *secret, int64_t life_us);
