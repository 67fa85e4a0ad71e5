/* The image that buildah wrote, as a layout: labelled as Cog labels its own, and taken out of the
 * folder that it was written to. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "build/cog-yaml.h"
#include "json/json.h"

typedef struct
{
  const VendCogYaml *yaml;
  const json_t *openapi;
  const char *cog_version;
  const char *freeze; /* the output of `pip freeze` */
  int concurrency;    /* runs at once, as the source says; 0 = it does not */
} VendImageLabels;

/* Changes what the config of an image says. Pure. */
void vend_image_label (json_t *config, const VendImageLabels *labels);

/* Moves the blobs of the one image in the layout `from` to `to`, under their SHA-256; `*out` is
 * what vend_image_build_write gives. Follows no links: the room may have made some. RUNNER when it
 * is no layout. */
bool vend_image_layout_take (const char *from, const char *to, const VendImageLabels *labels,
                             json_t **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
