/* Weights of a version: a file with a checksum and a size that the version holds. Plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "model/model.h"

/* Among the facts of a trained version: its source was pushed by its own account. */
#define VEND_FACT_OWN_SOURCE "own_source"
/* Among those of any version: it came in an archive of another server. */
#define VEND_FACT_IMPORTED "imported"

typedef struct
{
  char *name; /* of the file, without folders */
  int64_t size;
  char *sha256;
} VendWeights;

void vend_weights_free (VendWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendWeights, vend_weights_free)
json_t *vend_weights_to_json (const VendWeights *weights);

/* The weights in the launch record of a version; NULL: it has none. */
VendWeights *vend_weights_of_launch (const json_t *launch);

/* What a training has made of `base`, with `weights`. The same weights of the same version are the
 * same version, whatever made them. Its launch is that of the base but for the weights; model,
 * training, facts and time are the caller's to set. */
VendVersion *vend_version_trained (const VendVersion *base, const VendWeights *weights)
    G_GNUC_WARN_UNUSED_RESULT;

/* The version whose folder has the source; borrowed. */
const char *vend_version_source (const char *id, const json_t *launch);
