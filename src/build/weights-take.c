/* The contents of managed weights, on their way into the file store. Blocks on disk. */
#include "build/weights-take.h"
#include "base/error.h"
#include "base/hash.h"
#include <string.h>
#include <unistd.h>

static bool
take_new (VendBlobHolds *holds, const char *path, const char *sha256, const char *name,
          GError **error)
{
  g_autofree char *actual = NULL;
  if (!vend_sha256_file (path, &actual, error))
    return false;
  if (strcmp (actual, sha256) != 0)
    return vend_fail (error, VEND_ERROR_RUNNER, "'%s' was changed by the build", name);
  return vend_blob_holds_take (holds, path, sha256, error);
}

bool
vend_build_take (VendBlobHolds *holds, const char *dir, const char *sha256, const char *name,
                 GError **error)
{
  g_autofree char *path = g_build_filename (dir, sha256, NULL);
  g_autoptr (GError) problem = NULL;
  if (vend_blob_holds_add (holds, sha256, &problem))
    return true;
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return take_new (holds, path, sha256, name, error);
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

static bool
take (VendBlobHolds *holds, const char *dir, const VendWeightFile *file, GError **error)
{
  if (vend_build_take (holds, dir, file->sha256, file->path, error))
    return true;
  g_prefix_error (error, "weights: ");
  return false;
}

bool
vend_build_weights_take (VendBlobs *blobs, const char *dir, const json_t *launch,
                         GPtrArray **out_sets, VendBlobHolds **out_holds, GError **error)
{
  g_autoptr (GPtrArray) sets
      = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_weight_set_free);
  g_autoptr (VendBlobHolds) holds = vend_blob_holds_new (blobs);
  size_t i;
  json_t *object;
  json_array_foreach (json_object_get (launch, VEND_LAUNCH_WEIGHTS), i, object)
    {
      VendWeightSet *set = NULL;
      if (!vend_weight_set_from_json (object, &set, error))
        return false;
      g_ptr_array_add (sets, set);
      for (guint n = 0; n < set->files->len; n++)
        if (!take (holds, dir, g_ptr_array_index (set->files, n), error))
          return false;
    }
  *out_sets = g_steal_pointer (&sets);
  *out_holds = g_steal_pointer (&holds);
  return true;
}
