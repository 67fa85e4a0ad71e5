/* A Cog project without its code, from the schema of a model. Pure. */
#pragma once
#include <glib.h>

#include "json/json.h"

/* run.py with the inputs and the output of `openapi`, whose run() only raises. NULL when the
 * schema has what this cannot write. Free with g_free. */
char *vend_skeleton_predict (const char *reference, const json_t *openapi)
    G_GNUC_WARN_UNUSED_RESULT;
