/* Managed weights that Cog pushed beside an image, in one index with it. */
#include "base/error.h"
#include "base/fd.h"
#include "image/unpack-private.h"
#include "store/models.h"
#include "store/registry.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define WEIGHT_TYPE "application/vnd.cog.weight.v1"
#define TARGET "run.cog.weight.target"

/* ---- What the store says */

/* The index that was pushed last; NULL: the image stands alone. */
static bool
newest_index (VendDb *db, int64_t repository, const char *image, VendRegistryManifest **out,
              GError **error)
{
  g_autoptr (GPtrArray) digests = NULL;
  *out = NULL;
  if (!vend_store_registry_indexes_of (db, repository, image, &digests, error))
    return false;
  for (guint i = 0; i < digests->len; i++)
    {
      VendRegistryManifest *index = NULL;
      if (!vend_store_registry_manifest_get (db, repository, g_ptr_array_index (digests, i), &index,
                                             error))
        return false;
      if (*out != NULL && (*out)->used_us > index->used_us)
        {
          vend_registry_manifest_free (index);
          continue;
        }
      vend_registry_manifest_free (*out);
      *out = index;
    }
  return true;
}

static bool
find_index (const VendImageUnpacking *job, VendRegistryManifest **out, GError **error)
{
  g_autoptr (VendVersion) version = NULL;
  int64_t repository = 0;
  g_auto (VendReader) reader = vend_reader (job->store);
  return vend_store_version_get (reader.db, job->model_id, job->version, &version, error)
         && vend_store_repository_find (reader.db, job->model_id, "", &repository, error)
         && newest_index (reader.db, repository, version->image, out, error);
}

/* NULL when the part is something else than weights. */
static bool
find_weights (const VendImageUnpacking *job, int64_t repository, const char *digest,
              VendRegistryManifest **out, GError **error)
{
  g_autoptr (VendRegistryManifest) row = NULL;
  g_auto (VendReader) reader = vend_reader (job->store);
  *out = NULL;
  if (!vend_store_registry_manifest_get (reader.db, repository, digest, &row, error))
    return false;
  if (g_strcmp0 (row->artifact_type, WEIGHT_TYPE) == 0)
    *out = g_steal_pointer (&row);
  return true;
}

/* ---- Unpacking */

/* As Cog's runtimes say that a set is complete. */
static bool
mark_ready (VendRoot *root, GError **error)
{
  char *const parts[] = { (char *) ".cog", NULL };
  vend_autofd folder = -1;
  if (!vend_root_folder (root, parts, 1, &folder, error))
    return false;
  vend_autofd fd = openat (folder, "ready", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
  return fd >= 0 || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "mark weights as complete");
}

static bool
add_set (const VendImageUnpacking *job, VendLayers *layers, const VendRegistryManifest *row,
         GError **error)
{
  g_autoptr (VendOciManifest) manifest = NULL;
  g_auto (GStrv) parts = NULL;
  vend_autofd folder = -1;
  const char *target = vend_json_string (row->annotations, TARGET);
  if (target == NULL || !g_path_is_absolute (target))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "annotation " TARGET ": expected an absolute path");
  if (!vend_root_split (target, &parts, error)
      || !vend_root_folder (&layers->root, parts, g_strv_length (parts), &folder, error)
      || !vend_image_read_manifest (job, row->sha256, &manifest, error))
    return false;
  VendLayers inner = *layers;
  inner.root.fd = folder;
  const bool good
      = vend_image_apply_layers (job, manifest, &inner, error) && mark_ready (&inner.root, error);
  layers->n_bytes = inner.n_bytes;
  layers->root.n_entries = inner.root.n_entries;
  return good;
}

bool
vend_image_add_weights (const VendImageUnpacking *job, VendLayers *layers, GError **error)
{
  g_autoptr (VendRegistryManifest) index = NULL;
  g_autoptr (VendOciManifest) parsed = NULL;
  if (!find_index (job, &index, error))
    return false;
  if (index == NULL)
    return true;
  if (!vend_image_read_manifest (job, index->sha256, &parsed, error))
    return false;
  for (guint i = 0; i < parsed->parts->len; i++)
    {
      const VendRegistryPart *part = g_ptr_array_index (parsed->parts, i);
      g_autoptr (VendRegistryManifest) row = NULL;
      if (!find_weights (job, index->repository, part->digest, &row, error))
        return false;
      if (row != NULL && !add_set (job, layers, row, error))
        {
          g_prefix_error (error, "weights %s: ", part->digest);
          return false;
        }
    }
  return true;
}
