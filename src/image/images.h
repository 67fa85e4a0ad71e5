/* Images of the registry that were unpacked to run, in images/VERSION of the data directory, once
 * for each digest. Threads of its own unpack. Any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "files/blobs.h"
#include "json/json.h"
#include "runner/runner.h"
#include "store/store.h"

typedef struct VendImages VendImages;

typedef struct
{
  VendStore *store;
  VendBlobs *blobs;
  VendRunner *runner; /* borrowed: knows which images are in use */
  const char *data_dir;
  uint64_t max_bytes; /* of an unpacked image */
  uint64_t max_files;
  int64_t timeout_us;
} VendImagesOptions;

/* What a kill has left half unpacked is removed by a thread. */
bool vend_images_new (const VendImagesOptions *options, VendImages **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Removes images that no version and no instance needs. Blocks on disk. */
void vend_images_sweep (VendImages *images);
/* Never blocks: what is on its way ends with CANCELED, and nothing begins. */
void vend_images_close (VendImages *images);
/* Closes, and waits for the threads: nothing calls back afterwards. */
void vend_images_finish (VendImages *images);
void vend_images_free (VendImages *images);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendImages, vend_images_free)

/* How the version is started, if it is unpacked; NOT_FOUND while it is not. Blocks on disk. */
bool vend_images_find (const VendImages *images, const char *version, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* On a thread of the images; `error` is NULL once it is unpacked. */
typedef void (*VendImageDone) (const GError *error, void *data);
/* Unpacks the version unless it is there, and counts its bytes. Never blocks. */
void vend_images_unpack (VendImages *images, int64_t model_id, const char *version,
                         VendImageDone done, void *data);
