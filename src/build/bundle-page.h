/* What an archive of `vend export` says people see of the model. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

/* `files`: path in the archive → VendBundleEntry. INVALID names the field. */
bool vend_bundle_page_check (const json_t *page, GHashTable *files, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Whether a value has a member that stands for a file of a card. */
bool vend_bundle_page_has_file (const json_t *value);
