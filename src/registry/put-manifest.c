/* Manifests of the registry: into the store, with the version that an image is, and out of it. */
#include "registry/registry-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/id.h"
#include "registry/image.h"
#include "registry/manifest.h"
#include "registry/reference.h"
#include "store/deployments.h"
#include "store/models.h"
#include "store/predictions.h"
#include "store/registry.h"
#include "store/stored-bytes.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define SPOOL_NAME_LENGTH 24

typedef struct
{
  VendRegistry *registry;
  const VendManifestPush *push;
  const VendOciManifest *parsed;
  VendRegistryManifest *row;
  VendVersion *version; /* or NULL */
  VendManifestPushed *pushed;
  VendOciCode code;
} Job;

void
vend_manifest_pushed_clear (VendManifestPushed *pushed)
{
  g_free (pushed->digest);
  g_free (pushed->subject);
  g_free (pushed->version);
  *pushed = (VendManifestPushed){ 0 };
}

/* ---- The image's config */

static bool
read_config (const VendRegistry *registry, const VendRegistryBlob *blob, char **out,
             gsize *out_size, GError **error)
{
  vend_autofd fd = -1;
  uint64_t size = 0;
  return vend_blobs_open_fd (registry->blobs, blob->sha256, &fd, &size, error)
         && vend_fd_read_all (fd, "config", VEND_IMAGE_CONFIG_BYTES, out, out_size, error);
}

/* The caller's own, or what was pushed before. */
static bool
find_config (const Job *job, VendRegistryBlob **out, GError **error)
{
  const VendRegistryPlace *place = &job->push->place;
  int64_t repository = 0;
  for (guint i = 0; job->push->blobs != NULL && i < job->push->blobs->len; i++)
    {
      const VendRegistryBlob *blob = g_ptr_array_index (job->push->blobs, i);
      if (strcmp (blob->digest, job->parsed->config) != 0)
        continue;
      *out = g_new0 (VendRegistryBlob, 1);
      (*out)->digest = g_strdup (blob->digest);
      (*out)->sha256 = g_strdup (blob->sha256);
      (*out)->size = blob->size;
      return true;
    }
  g_auto (VendReader) reader = vend_reader (job->registry->store);
  return (vend_store_repository_find (reader.db, place->model->id, place->path, &repository, NULL)
          && vend_store_registry_blob_get (reader.db, repository, job->parsed->config, out, NULL))
         || vend_fail (error, VEND_ERROR_NOT_FOUND, "config: there is no blob %s; push it first",
                       job->parsed->config);
}

/* The version that the image is, if it is one. */
static bool
read_image (Job *job, GError **error)
{
  const VendRegistryPlace *place = &job->push->place;
  g_autoptr (VendRegistryBlob) blob = NULL;
  g_autofree char *config = NULL;
  gsize size = 0;
  job->pushed->is_image = job->parsed->config != NULL && *place->path == '\0';
  if (!job->pushed->is_image)
    return true;
  job->code = VEND_OCI_MANIFEST_BLOB_UNKNOWN;
  if (!find_config (job, &blob, error))
    return false;
  job->code = VEND_OCI_MANIFEST_INVALID;
  return read_config (job->registry, blob, &config, &size, error)
         && vend_image_read (config, size, &job->version, error);
}

/* ---- The transaction */

static bool
check_blob (VendDb *db, Job *job, const VendRegistryPart *part, GError **error)
{
  g_autoptr (VendRegistryBlob) blob = NULL;
  g_autoptr (GError) problem = NULL;
  job->code = VEND_OCI_MANIFEST_BLOB_UNKNOWN;
  if (!vend_store_registry_blob_get (db, job->row->repository, part->digest, &blob, &problem))
    {
      if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
      return vend_fail (error, VEND_ERROR_NOT_FOUND, "there is no blob %s here; push it first",
                        part->digest);
    }
  job->code = VEND_OCI_MANIFEST_INVALID;
  return blob->size == part->size
         || vend_fail (error, VEND_ERROR_INVALID,
                       "size: the blob %s has %" G_GINT64_FORMAT " bytes, not %" G_GINT64_FORMAT,
                       part->digest, blob->size, part->size);
}

static bool
check_manifest (VendDb *db, Job *job, const VendRegistryPart *part, GError **error)
{
  g_autoptr (VendRegistryManifest) manifest = NULL;
  g_autoptr (GError) problem = NULL;
  job->code = VEND_OCI_MANIFEST_BLOB_UNKNOWN;
  if (vend_store_registry_manifest_get (db, job->row->repository, part->digest, &manifest,
                                        &problem))
    return true;
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "there is no manifest %s here; push it first",
                      part->digest);
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

/* Those that may lie elsewhere are kept when they are here. */
static bool
find_parts (VendDb *db, Job *job, GPtrArray *out, GError **error)
{
  for (guint i = 0; i < job->parsed->parts->len; i++)
    {
      VendRegistryPart *part = g_ptr_array_index (job->parsed->parts, i);
      if (!(part->is_manifest ? check_manifest (db, job, part, error)
                              : check_blob (db, job, part, error)))
        return false;
      g_ptr_array_add (out, part);
    }
  for (guint i = 0; i < job->parsed->optional->len; i++)
    {
      VendRegistryPart *part = g_ptr_array_index (job->parsed->optional, i);
      g_autoptr (VendRegistryBlob) blob = NULL;
      if (!part->is_manifest
          && vend_store_registry_blob_get (db, job->row->repository, part->digest, &blob, NULL))
        g_ptr_array_add (out, part);
    }
  return true;
}

static bool
put_manifest (VendDb *db, Job *job, GError **error)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new ();
  g_autoptr (VendRegistryManifest) known = NULL;
  if (!find_parts (db, job, parts, error))
    return false;
  job->code = VEND_OCI_DENIED;
  return (vend_store_registry_manifest_get (db, job->row->repository, job->row->digest, &known,
                                            NULL)
          || vend_store_stored_allow (db, job->push->place.model->account_id, job->row->size,
                                      job->registry->max_stored, error))
         && vend_store_registry_manifest_put (db, job->row, parts, error);
}

static bool
put_version (VendDb *db, Job *job, const VendVersion *version, bool is_newest, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  if (!vend_store_version_put_image (db, version, is_newest, error)
      || !vend_store_model_get (db, version->model_id, &model, error))
    return false;
  g_free (job->pushed->version);
  job->pushed->version = g_strdup (version->id);
  job->pushed->is_latest = g_strcmp0 (model->latest_version, version->id) == 0;
  return true;
}

/* An index of one image that is a version: its tag makes that the newest. */
static bool
put_image_of_index (VendDb *db, Job *job, bool is_newest, GError **error)
{
  g_autoptr (GPtrArray) images = NULL;
  g_autoptr (VendRegistryManifest) image = NULL;
  g_autoptr (VendVersion) version = NULL;
  if (!vend_store_registry_images_of (db, job->row->repository, job->row->digest, &images, error))
    return false;
  if (images->len != 1)
    return true;
  if (!vend_store_registry_manifest_get (db, job->row->repository, g_ptr_array_index (images, 0),
                                         &image, error)
      || !vend_store_version_get (db, job->push->place.model->id, image->sha256, &version, error))
    return false;
  version->created_us = job->row->used_us;
  return put_version (db, job, version, is_newest, error);
}

/* `*out_is_newest`: one of the tags did not name it before. */
static bool
put_tags (VendDb *db, const Job *job, bool *out_is_newest, GError **error)
{
  *out_is_newest = false;
  for (guint i = 0; i < job->push->tags->len; i++)
    {
      bool is_new = false;
      if (!vend_store_registry_tag_put (db, job->row->repository,
                                        g_ptr_array_index (job->push->tags, i), job->row->digest,
                                        &is_new, error))
        return false;
      *out_is_newest |= is_new;
    }
  return true;
}

static bool
put_blobs (VendDb *db, const Job *job, GError **error)
{
  const VendManifestPush *push = job->push;
  for (guint i = 0; push->blobs != NULL && i < push->blobs->len; i++)
    {
      VendRegistryBlob *blob = g_ptr_array_index (push->blobs, i);
      blob->repository = job->row->repository;
      if (!vend_registry_put_blob (job->registry, db, push->place.model->account_id, blob, error))
        return false;
    }
  return true;
}

static bool
store_also (VendDb *db, const Job *job, GError **error)
{
  const VendManifestPush *push = job->push;
  return push->also == NULL || push->also (db, job->pushed->version, push->also_data, error);
}

static bool
store (VendDb *db, void *data, GError **error)
{
  Job *job = data;
  const VendManifestPush *push = job->push;
  g_autoptr (VendModel) model = NULL;
  bool is_newest = false;
  job->code = VEND_OCI_NAME_UNKNOWN;
  if (!vend_store_model_get (db, push->place.model->id, &model, error)
      || !vend_store_repository_ensure (db, model->id, push->place.path, &job->row->repository,
                                        error)
      || !put_blobs (db, job, error) || !put_manifest (db, job, error)
      || !put_tags (db, job, &is_newest, error))
    return false;
  if (job->version != NULL)
    return put_version (db, job, job->version, is_newest || push->is_newest, error)
           && store_also (db, job, error);
  return !job->parsed->is_index || *push->place.path != '\0' || push->tags->len == 0
         || put_image_of_index (db, job, is_newest, error);
}

/* ---- Put */

static bool
take_text (const VendRegistry *registry, const VendManifestPush *push, const char *sha256,
           GError **error)
{
  g_autofree char *name = vend_secret_new ("manifest-", SPOOL_NAME_LENGTH);
  g_autofree char *path = g_build_filename (vend_blobs_spool (registry->blobs), name, NULL);
  vend_autofd fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  if (vend_fd_write_all (fd, push->text, push->size, error)
      && vend_blobs_take (registry->blobs, path, sha256, error))
    return true;
  unlink (path);
  return false;
}

static VendRegistryManifest *
make_row (const VendManifestPush *push, const VendOciManifest *parsed, const char *digest)
{
  VendRegistryManifest *row = g_new0 (VendRegistryManifest, 1);
  row->digest = g_strdup (digest);
  row->sha256 = vend_sha256_hex (push->text, push->size);
  row->size = (int64_t) push->size;
  row->media_type = g_strdup (parsed->media_type);
  row->artifact_type = g_strdup (parsed->artifact_type);
  row->annotations = parsed->annotations != NULL ? json_incref (parsed->annotations) : NULL;
  row->subject = g_strdup (parsed->subject);
  row->used_us = vend_now_us ();
  return row;
}

static bool
put (Job *job, GError **error)
{
  const VendManifestPush *push = job->push;
  if (!read_image (job, error))
    return false;
  if (job->version != NULL)
    {
      job->version->id = g_strdup (job->row->sha256);
      job->version->model_id = push->place.model->id;
      job->version->image = g_strdup (job->row->digest);
      job->version->created_us = job->row->used_us;
    }
  if (!take_text (job->registry, push, job->row->sha256, error))
    return false;
  const bool stored = vend_store_write_wait (job->registry->store, store, job, error);
  vend_blobs_let_go (job->registry->blobs, job->row->sha256);
  return stored;
}

bool
vend_registry_put_manifest (VendRegistry *registry, const VendManifestPush *push,
                            VendManifestPushed *out, VendOciCode *out_code, GError **error)
{
  g_autoptr (VendOciManifest) parsed = NULL;
  g_autoptr (VendRegistryManifest) row = NULL;
  g_auto (VendManifestPushed) pushed = { 0 };
  const bool is_sha512 = push->digest != NULL && vend_digest_is_sha512 (push->digest);
  g_autofree char *digest = vend_digest_of (push->text, push->size, is_sha512);
  *out_code = VEND_OCI_DIGEST_INVALID;
  if (push->digest != NULL && strcmp (push->digest, digest) != 0)
    return vend_fail (error, VEND_ERROR_INVALID, "the manifest has the digest %s, not %s", digest,
                      push->digest);
  *out_code = VEND_OCI_MANIFEST_INVALID;
  if (!vend_oci_manifest_parse (push->content_type, push->text, push->size, &parsed, error))
    return false;
  row = make_row (push, parsed, digest);
  Job job = { registry, push, parsed, row, NULL, &pushed, VEND_OCI_MANIFEST_INVALID };
  const bool is_put = put (&job, error);
  vend_version_free (job.version);
  *out_code = job.code;
  if (!is_put)
    return false;
  pushed.digest = g_steal_pointer (&digest);
  pushed.subject = g_strdup (parsed->subject);
  *out = pushed;
  pushed = (VendManifestPushed){ 0 };
  return true;
}

/* ---- Delete */

typedef struct
{
  const VendRegistryPlace *place;
  const char *digest;
  char *version; /* that went with it; or NULL */
} Deletion;

static bool
delete_version (VendDb *db, Deletion *deletion, const VendRegistryManifest *manifest,
                GError **error)
{
  const int64_t model_id = deletion->place->model->id;
  g_autoptr (VendVersion) version = NULL;
  bool is_open = false, is_deployed = false;
  if (*deletion->place->path != '\0'
      || !vend_store_version_get (db, model_id, manifest->sha256, &version, NULL)
      || g_strcmp0 (version->image, manifest->digest) != 0)
    return true;
  if (!vend_store_prediction_open_of (db, model_id, version->id, &is_open, error)
      || !vend_store_deployment_of_version (db, model_id, version->id, &is_deployed, error))
    return false;
  if (is_open || is_deployed)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "the image is a version that %s; it cannot be deleted now",
                      is_open ? "predictions run" : "a deployment runs");
  deletion->version = g_strdup (version->id);
  return vend_store_version_delete (db, model_id, version->id, error);
}

static bool
delete_manifest (VendDb *db, void *data, GError **error)
{
  Deletion *deletion = data;
  g_autoptr (VendRegistryManifest) manifest = NULL;
  int64_t repository = 0;
  g_clear_pointer (&deletion->version, g_free);
  return vend_store_repository_find (db, deletion->place->model->id, deletion->place->path,
                                     &repository, error)
         && vend_store_registry_manifest_get (db, repository, deletion->digest, &manifest, error)
         && delete_version (db, deletion, manifest, error)
         && vend_store_registry_manifest_delete (db, repository, deletion->digest, error);
}

bool
vend_registry_delete_manifest (VendRegistry *registry, const VendRegistryPlace *place,
                               const char *digest, char **out_version, GError **error)
{
  Deletion deletion = { .place = place, .digest = digest };
  if (!vend_store_write_wait (registry->store, delete_manifest, &deletion, error))
    {
      g_free (deletion.version);
      return false;
    }
  *out_version = deletion.version;
  return true;
}
