/* Brings the files of managed weights: from a source that cog.yaml names, and again from where they
 * came. Blocks. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "model/weight-set.h"
#include "weights/hub.h"
#include "weights/source.h"

#define VEND_PARTS_DIR "parts" /* in the folder of blobs: what is on its way */

typedef struct
{
  const char *blobs_dir;
  const char *to_dir; /* gets a file TO_DIR/<SHA-256> for each that the store lacks */
  VendHub hub;
  const char *allow;      /* networks beside public addresses; or NULL */
  bool any_host;          /* any address will do */
  const char *pushed_dir; /* PUSHED_DIR/<name>: the files of "file://"; or NULL */
  const json_t *known;    /* recorded sources, as an object: source → files of its set; or NULL */
  void (*say) (const char *line, void *data); /* or NULL */
  void *data;
  const gint *stops; /* atomic: not 0 = CANCELED; or NULL */
} VendPull;

/* Everything that the source has, as a sealed set. Errors name the weights and the source. */
bool vend_pull_source (const VendPull *pull, const char *name, const char *target,
                       const VendWeightSource *source, VendWeightSet **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The files of a recorded set that the store lacks. RUNNER when the source has others now. */
bool vend_pull_again (const VendPull *pull, const VendWeightSet *set, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
