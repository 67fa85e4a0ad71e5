/* A version by the beginning of its id. Main thread only. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "cli/client/client.h"

/* The id of the version of the model `reference` that begins with `prefix`; a whole id is not
 * looked for. INVALID when several begin so. Free with g_free. */
bool vend_version_id_find (VendClient *client, const char *reference, const char *prefix,
                           char **out_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
