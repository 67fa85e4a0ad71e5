/* What an answer 404 says is not there, from the path of the request. Pure. */
#pragma once
#include <glib.h>

/* "model lab/echo" of "/v1/models/lab/echo/scaling", "account ada" of "/v1/usage?account=ada"; NULL
 * for a path that names no thing. Free with g_free. */
char *vend_missing_thing (const char *path) G_GNUC_WARN_UNUSED_RESULT;
