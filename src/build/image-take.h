/* From the builder's result to the registry: an image that was built here. Any thread but the core
 * thread; blocks on disk and on a commit. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "registry/registry.h"

typedef struct
{
  VendBlobs *blobs;
  VendRegistry *registry;
  const char *dir;     /* where the builder put the contents */
  const json_t *image; /* of vend_image_build_write */
  const VendModel *model;
  uint64_t max_layer;
  /* In the transaction that stores the version, behind its row. */
  bool (*also) (VendDb *db, const char *version, void *data, GError **error);
  void *data;
} VendImageTake;

/* Brings contents, manifest and version in, as a push does; the version is the newest. */
bool vend_image_take (const VendImageTake *take, GError **error) G_GNUC_WARN_UNUSED_RESULT;
