/* From the builder's result to the file store: the contents of managed weights. Any thread but the
 * core thread; blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "files/blobs.h"
#include "json/json.h"
#include "model/weight-set.h"

/* Reads the sets of a launch record of a builder, which ran somebody else's code, and brings their
 * contents in from `dir`, each hashed again. They are held by `*out_holds`. */
bool vend_build_weights_take (VendBlobs *blobs, const char *dir, const json_t *launch,
                              GPtrArray **out_sets, VendBlobHolds **out_holds, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same for one content, unless the store has it; `name` is for the error. */
bool vend_build_take (VendBlobHolds *holds, const char *dir, const char *sha256, const char *name,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
