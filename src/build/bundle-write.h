/* Writes an archive of `vend export`, in constant memory. Blocks on disk. */
#pragma once
#include "build/bundle-manifest.h"

/* `document` and then the bytes of `entries` (of VendBundleEntry, with `from`), which it gets as
 * "files". The same arguments give the same bytes. CONFLICT when a file is not what its entry says.
 */
bool vend_bundle_write (const char *archive, json_t *document, const GPtrArray *entries,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
