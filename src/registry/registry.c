/* Blobs of the registry: uploads, mounts, removal. */
#include "registry/registry-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"
#include "store/models.h"
#include "store/registry.h"
#include "store/stored-bytes.h"
#include <string.h>

/* A look at a blob is written down this often. */
#define USE_INTERVAL_US (3600 * VEND_US_PER_S)

bool
vend_registry_new (VendStore *store, VendBlobs *blobs, uint64_t max_stored, VendRegistry **out,
                   GError **error)
{
  g_autoptr (VendRegistry) registry = g_new0 (VendRegistry, 1);
  g_autofree char *dir = g_build_filename (vend_blobs_dir (blobs), "uploads", NULL);
  registry->store = store;
  registry->blobs = blobs;
  registry->max_stored = max_stored;
  if (!vend_blob_uploads_open (dir, &registry->uploads, error))
    return false;
  *out = g_steal_pointer (&registry);
  return true;
}

void
vend_registry_free (VendRegistry *registry)
{
  if (registry == NULL)
    return;
  vend_blob_uploads_free (registry->uploads);
  g_free (registry);
}

VendBlobUploads *
vend_registry_uploads (VendRegistry *registry)
{
  return registry->uploads;
}

/* ---- Uploads */

typedef struct
{
  const VendRegistry *registry;
  const VendRegistryPlace *place;
  const char *upload; /* or NULL */
  bool has_row;
  VendRegistryBlob *blob;
} BlobJob;

/* The repository of the place, while its model is there. */
static bool
ensure_repository (VendDb *db, const VendRegistryPlace *place, int64_t *out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  return vend_store_model_get (db, place->model->id, &model, error)
         && vend_store_repository_ensure (db, model->id, place->path, out, error);
}

static bool
insert_upload (VendDb *db, void *data, GError **error)
{
  const BlobJob *job = data;
  int64_t repository = 0;
  return ensure_repository (db, job->place, &repository, error)
         && vend_store_registry_upload_insert (db, job->upload, repository, vend_now_us (), error);
}

bool
vend_registry_begin_upload (VendRegistry *registry, const VendRegistryPlace *place, char **out_id,
                            GError **error)
{
  g_autofree char *id = vend_id_new ();
  BlobJob job = { .registry = registry, .place = place, .upload = id };
  if (!vend_store_write_wait (registry->store, insert_upload, &job, error))
    return false;
  *out_id = g_steal_pointer (&id);
  return true;
}

bool
vend_registry_put_blob (const VendRegistry *registry, VendDb *db, int64_t account_id,
                        const VendRegistryBlob *blob, GError **error)
{
  g_autoptr (VendRegistryBlob) known = NULL;
  return (vend_store_registry_blob_get (db, blob->repository, blob->digest, &known, NULL)
          || vend_store_stored_allow (db, account_id, blob->size, registry->max_stored, error))
         && vend_store_registry_blob_put (db, blob, error);
}

static bool
insert_blob (VendDb *db, void *data, GError **error)
{
  const BlobJob *job = data;
  return ensure_repository (db, job->place, &job->blob->repository, error)
         && vend_registry_put_blob (job->registry, db, job->place->model->account_id, job->blob,
                                    error)
         && (!job->has_row || vend_store_registry_upload_delete (db, job->upload, error));
}

static bool
delete_upload (VendDb *db, void *data, GError **error)
{
  return vend_store_registry_upload_delete (db, data, error);
}

bool
vend_registry_cancel_upload (VendRegistry *registry, const char *id, GError **error)
{
  if (!vend_store_write_wait (registry->store, delete_upload, (void *) id, error))
    return false;
  vend_blob_uploads_remove (registry->uploads, id);
  return true;
}

static void
forget_upload (VendRegistry *registry, const char *id)
{
  g_autoptr (GError) error = NULL;
  if (!vend_store_write_wait (registry->store, delete_upload, (void *) id, &error))
    vend_log (VEND_LOG_WARN, "cannot remove an upload of the registry", "error", error->message,
              NULL);
}

bool
vend_registry_finish_upload (VendRegistry *registry, const VendRegistryPlace *place, const char *id,
                             bool has_row, VendBlobTurn *turn, const char *digest, GError **error)
{
  g_autoptr (VendRegistryBlob) blob = g_new0 (VendRegistryBlob, 1);
  BlobJob job
      = { .registry = registry, .place = place, .upload = id, .has_row = has_row, .blob = blob };
  uint64_t size = 0;
  blob->digest = g_strdup (digest);
  blob->used_us = vend_now_us ();
  g_autoptr (GError) problem = NULL;
  if (!vend_blob_turn_finish (turn, digest, registry->blobs, &blob->sha256, &size, &problem))
    {
      /* Its bytes are gone, or of no use: whoever wants to goes on with another upload. */
      if (has_row && !g_error_matches (problem, VEND_ERROR, VEND_ERROR_CONFLICT))
        forget_upload (registry, id);
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  blob->size = (int64_t) size;
  const bool stored = vend_store_write_wait (registry->store, insert_blob, &job, error);
  vend_blobs_let_go (registry->blobs, blob->sha256);
  if (!stored && has_row)
    forget_upload (registry, id);
  return stored;
}

/* ---- Blobs */

bool
vend_registry_mount (VendRegistry *registry, const VendRegistryPlace *place,
                     const VendRegistryBlob *from, GError **error)
{
  VendRegistryBlob blob = *from;
  BlobJob job = { .registry = registry, .place = place, .blob = &blob };
  blob.used_us = vend_now_us ();
  if (!vend_blobs_hold (registry->blobs, from->sha256, error))
    return false;
  const bool stored = vend_store_write_wait (registry->store, insert_blob, &job, error);
  vend_blobs_let_go (registry->blobs, from->sha256);
  return stored;
}

typedef struct
{
  const VendRegistryPlace *place;
  const char *digest; /* or tag */
} Deletion;

static bool
delete_blob (VendDb *db, void *data, GError **error)
{
  const Deletion *deletion = data;
  int64_t repository = 0;
  return vend_store_repository_find (db, deletion->place->model->id, deletion->place->path,
                                     &repository, error)
         && vend_store_registry_blob_delete (db, repository, deletion->digest, error);
}

bool
vend_registry_delete_blob (VendRegistry *registry, const VendRegistryPlace *place,
                           const char *digest, GError **error)
{
  Deletion deletion = { place, digest };
  return vend_store_write_wait (registry->store, delete_blob, &deletion, error);
}

static bool
use_blob (VendDb *db, void *data, GError **error)
{
  const VendRegistryBlob *blob = data;
  return vend_store_registry_blob_use (db, blob->repository, blob->digest, blob->used_us, error);
}

static void
used_blob (const GError *error, void *data)
{
  vend_registry_blob_free (data);
}

void
vend_registry_use_blob (VendRegistry *registry, const VendRegistryBlob *blob)
{
  const int64_t now_us = vend_now_us ();
  if (now_us - blob->used_us < USE_INTERVAL_US)
    return;
  VendRegistryBlob *used = g_new0 (VendRegistryBlob, 1);
  used->repository = blob->repository;
  used->digest = g_strdup (blob->digest);
  used->used_us = now_us;
  vend_store_write (registry->store, use_blob, used_blob, used);
}

/* ---- Tags */

static bool
delete_tag (VendDb *db, void *data, GError **error)
{
  const Deletion *deletion = data;
  int64_t repository = 0;
  return vend_store_repository_find (db, deletion->place->model->id, deletion->place->path,
                                     &repository, error)
         && vend_store_registry_tag_delete (db, repository, deletion->digest, error);
}

bool
vend_registry_delete_tag (VendRegistry *registry, const VendRegistryPlace *place, const char *tag,
                          GError **error)
{
  Deletion deletion = { place, tag };
  return vend_store_write_wait (registry->store, delete_tag, &deletion, error);
}
