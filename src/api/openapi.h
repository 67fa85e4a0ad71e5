/* The API's own description, OpenAPI 3.1: made from the table of routes and from what
 * openapi/operations.json says of each, so that neither can be without the other. */
#pragma once
#include "api/api-private.h"

/* All tables of routes, NULL-terminated. Aborts when a route has no operation or an operation no
 * route: that is a mistake in the program. Owned by the caller. */
json_t *vend_openapi_new (const ApiRoute *const *tables) G_GNUC_WARN_UNUSED_RESULT;
