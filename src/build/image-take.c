/* An image that was built here becomes a version. */
#include "build/image-take.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "build/weights-take.h"
#include <string.h>

static bool
take_blob (const VendImageTake *take, VendBlobHolds *holds, const json_t *item, GPtrArray *blobs,
           GError **error)
{
  const char *sha256 = vend_json_string (item, "sha256");
  const int64_t size = vend_json_int (item, "size", -1);
  if (sha256 == NULL || !vend_is_sha256_hex (sha256) || size < 0)
    return vend_fail (error, VEND_ERROR_RUNNER, "the builder's result has a layer that is none");
  if ((uint64_t) size > take->max_layer)
    return vend_fail (
        error, VEND_ERROR_TOO_LARGE,
        "a layer of the image has %" G_GINT64_FORMAT " bytes, more than max-layer allows", size);
  if (!vend_build_take (holds, take->dir, sha256, "a layer", error))
    return false;
  VendRegistryBlob *blob = g_new0 (VendRegistryBlob, 1);
  blob->digest = g_strconcat ("sha256:", sha256, NULL);
  blob->sha256 = g_strdup (sha256);
  blob->size = size;
  blob->used_us = vend_now_us ();
  g_ptr_array_add (blobs, blob);
  return true;
}

bool
vend_image_take (const VendImageTake *take, GError **error)
{
  g_autoptr (GPtrArray) blobs
      = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_registry_blob_free);
  g_autoptr (GPtrArray) tags = g_ptr_array_new ();
  g_autoptr (VendBlobHolds) holds = vend_blob_holds_new (take->blobs);
  g_auto (VendManifestPushed) pushed = { 0 };
  const char *manifest = vend_json_string (take->image, "manifest");
  VendOciCode code;
  size_t i;
  json_t *item;
  json_array_foreach (json_object_get (take->image, "blobs"), i, item)
    if (!take_blob (take, holds, item, blobs, error))
      return false;
  if (manifest == NULL)
    return vend_fail (error, VEND_ERROR_RUNNER, "the builder's result has no manifest");
  const VendManifestPush push = { .place = { take->model, "" },
                                  .tags = tags,
                                  .text = manifest,
                                  .size = strlen (manifest),
                                  .blobs = blobs,
                                  .is_newest = true,
                                  .also = take->also,
                                  .also_data = take->data };
  if (!vend_registry_put_manifest (take->registry, &push, &pushed, &code, error))
    return false;
  return pushed.version != NULL
         || vend_fail (error, VEND_ERROR_RUNNER, "the image that was built is no version");
}
