/* What a model misses in its sandbox, by the words of its error. Pure. */
#pragma once
#include <glib.h>

#include "director/spec.h"

/* `error` with a line that names what the sandbox does not give, and the way to it; NULL when the
 * sandbox does not explain it. Free with g_free. */
char *vend_sandbox_explain (const VendSpec *spec, const char *error) G_GNUC_WARN_UNUSED_RESULT;
