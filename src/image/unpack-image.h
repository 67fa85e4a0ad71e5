/* An image of the registry as a folder:
 *
 *   DIR/src          its root file system
 *   DIR/image.json   how it is started: argv, env, cwd, uid, gid; bytes and files of the root
 *   DIR/schema.json  its OpenAPI document
 *
 * Blocks on disk, for as long as the layers are. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <gio/gio.h>

#include "files/blobs.h"
#include "json/json.h"
#include "store/store.h"

#define VEND_IMAGE_ROOT "src"
#define VEND_IMAGE_FILE "image.json"
#define VEND_IMAGE_SCHEMA "schema.json"

typedef struct
{
  VendStore *store;
  VendBlobs *blobs;
  int64_t model_id;
  const char *version; /* the SHA-256 of the manifest */
  uint64_t max_bytes;
  uint64_t max_files;
  int64_t timeout_us;
  GCancellable *cancellable;
} VendImageUnpacking;

/* Makes `dir`, on disk when it returns. On failure the caller removes what there is of it. */
bool vend_image_unpack (const VendImageUnpacking *job, const char *dir, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* image.json. NOT_FOUND without one. */
bool vend_image_read_start (const char *dir, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
