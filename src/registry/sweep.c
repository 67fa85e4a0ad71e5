/* What nothing keeps any more: unfinished uploads, manifests, blobs. Their bytes go with the sweep
 * of the file store. */
#include "registry/registry-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "store/registry.h"

#define BATCH 200

static void
warn (const char *what, const GError *error)
{
  vend_log (VEND_LOG_WARN, what, "error", error->message, NULL);
}

/* ---- Uploads */

static bool
delete_upload (VendDb *db, void *data, GError **error)
{
  return vend_store_registry_upload_delete (db, data, error);
}

static bool
read_old_uploads (VendRegistry *registry, int64_t before_us, GPtrArray **out, GError **error)
{
  g_auto (VendReader) reader = vend_reader (registry->store);
  return vend_store_registry_upload_before (reader.db, before_us, out, error);
}

static void
sweep_uploads (VendRegistry *registry, int64_t before_us)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GError) error = NULL;
  if (!read_old_uploads (registry, before_us, &ids, &error))
    {
      warn ("cannot read old uploads of the registry", error);
      return;
    }
  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (GError) problem = NULL;
      char *id = g_ptr_array_index (ids, i);
      if (vend_blob_uploads_is_active (registry->uploads, id, before_us))
        continue;
      if (!vend_store_write_wait (registry->store, delete_upload, id, &problem)
          && !g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        warn ("cannot remove an upload of the registry", problem);
      else
        vend_blob_uploads_remove (registry->uploads, id);
    }
}

/* Left by a crash, or of a model that was deleted. */
static void
sweep_files (VendRegistry *registry, int64_t before_us)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_blob_uploads_list (registry->uploads, &ids, &error))
    {
      warn ("cannot list uploads of the registry", error);
      return;
    }
  for (guint i = 0; i < ids->len; i++)
    {
      const char *id = g_ptr_array_index (ids, i);
      g_autoptr (GError) problem = NULL;
      int64_t repository = 0;
      if (vend_blob_uploads_is_active (registry->uploads, id, before_us))
        continue;
      {
        g_auto (VendReader) reader = vend_reader (registry->store);
        if (vend_store_registry_upload_get (reader.db, id, &repository, &problem)
            || !g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
          continue;
      }
      vend_blob_uploads_remove (registry->uploads, id);
    }
}

/* ---- Manifests and blobs */

typedef struct
{
  int64_t repository;
  int64_t before_us;
  guint n_removed;
} Batch;

static bool
remove_manifests (VendDb *db, void *data, GError **error)
{
  Batch *batch = data;
  g_autoptr (GPtrArray) unused = NULL;
  if (!vend_store_registry_manifest_unused (db, batch->repository, batch->before_us, BATCH, &unused,
                                            error))
    return false;
  for (guint i = 0; i < unused->len; i++)
    if (!vend_store_registry_manifest_delete (
            db, batch->repository,
            ((const VendRegistryManifest *) g_ptr_array_index (unused, i))->digest, error))
      return false;
  batch->n_removed = unused->len;
  return true;
}

static bool
remove_blobs (VendDb *db, void *data, GError **error)
{
  Batch *batch = data;
  g_autoptr (GPtrArray) unused = NULL;
  if (!vend_store_registry_blob_unused (db, batch->repository, batch->before_us, BATCH, &unused,
                                        error))
    return false;
  for (guint i = 0; i < unused->len; i++)
    if (!vend_store_registry_blob_delete (
            db, batch->repository,
            ((const VendRegistryBlob *) g_ptr_array_index (unused, i))->digest, error))
      return false;
  batch->n_removed = unused->len;
  return true;
}

/* Whether a transaction is worth it: the writer is everybody's. */
static bool
has_unused (VendRegistry *registry, int64_t repository, int64_t before_us)
{
  g_autoptr (GPtrArray) manifests = NULL;
  g_autoptr (GPtrArray) blobs = NULL;
  g_auto (VendReader) reader = vend_reader (registry->store);
  return vend_store_registry_manifest_unused (reader.db, repository, before_us, 1, &manifests, NULL)
         && vend_store_registry_blob_unused (reader.db, repository, before_us, 1, &blobs, NULL)
         && manifests->len + blobs->len > 0;
}

static bool
run (VendRegistry *registry, VendStoreJob job, int64_t repository, int64_t before_us)
{
  g_autoptr (GError) error = NULL;
  for (guint n = BATCH; n == BATCH;)
    {
      Batch batch = { repository, before_us, 0 };
      if (!vend_store_write_wait (registry->store, job, &batch, &error))
        {
          warn ("the sweep of the registry failed", error);
          return false;
        }
      n = batch.n_removed;
    }
  return true;
}

static bool
read_repositories (VendRegistry *registry, GArray **out, GError **error)
{
  g_auto (VendReader) reader = vend_reader (registry->store);
  return vend_store_repository_all (reader.db, out, error);
}

void
vend_registry_sweep (VendRegistry *registry)
{
  const int64_t before_us = vend_now_us () - VEND_REGISTRY_LIFE_US;
  g_autoptr (GArray) repositories = NULL;
  g_autoptr (GError) error = NULL;
  sweep_uploads (registry, before_us);
  sweep_files (registry, before_us);
  if (!read_repositories (registry, &repositories, &error))
    {
      warn ("cannot read the repositories", error);
      return;
    }
  for (guint i = 0; i < repositories->len; i++)
    {
      const int64_t repository = g_array_index (repositories, int64_t, i);
      if (has_unused (registry, repository, before_us)
          && run (registry, remove_manifests, repository, before_us))
        run (registry, remove_blobs, repository, before_us);
    }
}
