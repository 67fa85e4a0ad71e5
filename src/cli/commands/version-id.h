/* A version by the beginning of its id. Main thread only. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "cli/client/client.h"

/* The id of the version of the model `reference` that begins with `prefix`; a whole id is not
 * looked for. INVALID when several begin so. Free with g_free. */
bool vend_version_id_find (VendClient *client, const char *reference, const char *prefix,
                           char **out_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "/v1/models/owner/name/versions/<id>" of "owner/name[:ID]": without an id that of the latest
 * version, else of the one that begins so. Free with g_free. */
bool vend_version_path_find (VendClient *client, const char *text, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
