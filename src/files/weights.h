/* Weights as models see them: contents of the file store under names of their own, since a model
 * may look at the ending of a name. They are hard links without bytes of their own,
 * BLOBS/weights/<SHA-256>/<name>, and go with the content. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "files/blobs.h"
#include "model/weights.h"

/* Pure. Free with g_free. */
char *vend_weights_path (const char *blobs_dir, const VendWeights *weights)
    G_GNUC_WARN_UNUSED_RESULT;

/* Makes the path unless it is there, and takes the right to write from it. A version must hold the
 * weights. NOT_FOUND when the content does not exist. */
bool vend_weights_place (VendBlobs *blobs, const VendWeights *weights, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Removes all names of a content that is about to be removed. */
bool vend_weights_forget (const VendBlobs *blobs, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
