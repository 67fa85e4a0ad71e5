/* Files against rows: contents, versions, uploads, and what was left behind. */
#include "audit/audit-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "model/file.h"
#include "store/audit.h"
#include "store/files.h"
#include "store/models.h"
#include "store/registry.h"
#include "workspace/probe.h"
#include "store/weight-sets.h"
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

/* The sweep spares blobs and folders of probes younger than ten minutes, and looks at all of them
 * once an hour. */
#define SWEPT_LIFE_US (90 * 60 * VEND_US_PER_S)
/* Longer than the upload of one file takes. */
#define SPOOL_LIFE_US (24 * 3600 * VEND_US_PER_S)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)

static GDir *
open_folder (const Audit *audit, const char *name, char **out_path)
{
  *out_path = g_build_filename (audit->options->data_dir, name, NULL);
  return g_dir_open (*out_path, 0, NULL);
}

static bool
is_older (const Audit *audit, const char *path, int64_t age_us)
{
  struct stat st;
  return lstat (path, &st) == 0
         && audit->now_us - (int64_t) st.st_mtim.tv_sec * VEND_US_PER_S > age_us;
}

static char *
blob_path (const Audit *audit, const char *sha256)
{
  const char folder[3] = { sha256[0], sha256[1], '\0' };
  return g_build_filename (audit->options->data_dir, "blobs", folder, sha256, NULL);
}

/* ---- Contents */

static bool
add_to_hash (const void *bytes, gsize size, void *data)
{
  EVP_DigestUpdate (data, bytes, size);
  return true;
}

static void
check_bytes (Audit *audit, const char *sha256, uint64_t size, const char *of)
{
  guint8 bytes[EVP_MAX_MD_SIZE];
  guint n = 0;
  g_autoptr (EVP_MD_CTX) hash = EVP_MD_CTX_new ();
  g_autoptr (GError) error = NULL;
  EVP_DigestInit_ex (hash, EVP_sha256 (), NULL);
  if (!audit->depot->ops->read (audit->depot, sha256, 0, size, add_to_hash, hash, &error))
    {
      vend_audit_found (audit, CHECK_CONTENTS, sha256, "%s: %s", of, error->message);
      return;
    }
  EVP_DigestFinal_ex (hash, bytes, &n);
  g_autofree char *actual = vend_hex (bytes, n);
  if (strcmp (actual, sha256) != 0)
    vend_audit_found (audit, CHECK_CONTENTS, sha256, "%s: its bytes are those of %s", of, actual);
}

static bool
find_content (const Audit *audit, const char *sha256, VendDepotStat *out, GError **error)
{
  if (audit->objects == NULL)
    return audit->depot->ops->stat (audit->depot, sha256, out, error);
  const VendDepotStat *stat = g_hash_table_lookup (audit->objects, sha256);
  if (stat == NULL)
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "the bucket does not have it");
  *out = *stat;
  return true;
}

static void
seen_content (const char *sha256, const char *of, int64_t size, void *data)
{
  Audit *audit = data;
  VendDepotStat stat;
  g_autoptr (GError) problem = NULL;
  if (!vend_is_sha256_hex (sha256))
    vend_audit_found (audit, CHECK_CONTENTS, sha256, "%s: this is not a SHA-256", of);
  else if (!find_content (audit, sha256, &stat, &problem))
    vend_audit_found (audit, CHECK_CONTENTS, sha256, "%s: %s", of, problem->message);
  else if (size >= 0 && stat.size != (uint64_t) size)
    vend_audit_found (audit, CHECK_CONTENTS, sha256,
                      "%s: %" G_GUINT64_FORMAT " bytes instead of %" G_GINT64_FORMAT, of, stat.size,
                      size);
  else if (audit->options->deep)
    check_bytes (audit, sha256, stat.size, of);
}

typedef struct
{
  Audit *audit;
  GError *error;
} BlobLook;

static void
see_blob (const char *sha256, const VendDepotStat *stat, void *data)
{
  BlobLook *look = data;
  bool used = true;
  if (look->error != NULL || look->audit->now_us - stat->changed_us <= SWEPT_LIFE_US
      || !vend_store_blob_used (look->audit->db, sha256, &used, &look->error))
    return;
  if (!used)
    vend_audit_found (look->audit, CHECK_BLOBS, sha256, "nothing points to this content");
}

/* A copy stands for an object. */
static void
see_copy (const char *sha256, const VendDepotStat *stat, void *data)
{
  BlobLook *look = data;
  if (!g_hash_table_contains (look->audit->objects, sha256))
    vend_audit_found (look->audit, CHECK_BLOBS, sha256,
                      "it is a copy, and the bucket does not have it");
}

static bool
check_blobs (Audit *audit, GError **error)
{
  BlobLook look = { audit, NULL };
  GHashTableIter iter;
  void *sha256, *stat;
  g_autofree char *blobs = g_build_filename (audit->options->data_dir, "blobs", NULL);
  g_autoptr (VendDepot) copies = vend_depot_disk_new (blobs, blobs, true);
  if (audit->objects == NULL)
    {
      if (!audit->depot->ops->each (audit->depot, see_blob, &look, error))
        return false;
    }
  else
    {
      g_hash_table_iter_init (&iter, audit->objects);
      while (g_hash_table_iter_next (&iter, &sha256, &stat))
        see_blob (sha256, stat, &look);
      if (!copies->ops->each (copies, see_copy, &look, error))
        return false;
    }
  if (look.error == NULL)
    return true;
  g_propagate_error (error, look.error);
  return false;
}

/* Names of weights go with the content. */
static void
check_weight_names (Audit *audit)
{
  g_autofree char *weights = NULL;
  g_autoptr (GDir) listing = open_folder (audit, "blobs/weights", &weights);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = vend_is_sha256_hex (name) ? blob_path (audit, name) : NULL;
      if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
        vend_audit_found (audit, CHECK_LEFTOVERS, name, "%s has names of weights that are gone",
                          weights);
    }
}

/* A folder shows the files of a set while that is present; without one it may be an instance's. */
static bool
check_weight_sets (Audit *audit, GError **error)
{
  g_autofree char *sets = NULL;
  g_autoptr (GDir) listing = open_folder (audit, "blobs/sets", &sets);
  const bool has_instances = g_hash_table_size (audit->kept) > 0;
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (sets, name, NULL);
      bool is_present = false;
      if (vend_is_sha256_hex (name)
          && !vend_store_weight_set_is_present (audit->db, name, &is_present, error))
        return false;
      if (!is_present && !has_instances && is_older (audit, path, SWEPT_LIFE_US))
        vend_audit_found (audit, CHECK_LEFTOVERS, name, "%s has weights that no version uses",
                          sets);
    }
  return true;
}

/* ---- Versions */

static void
seen_version (const char *id, const char *unused, int64_t number, void *data)
{
  Audit *audit = data;
  g_autofree char *path = g_build_filename (audit->options->data_dir, "versions", id, NULL);
  if (!g_file_test (path, G_FILE_TEST_IS_DIR))
    vend_audit_found (audit, CHECK_VERSIONS, id, "it has no folder");
}

static bool
is_missing (GError **error)
{
  if (!g_error_matches (*error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return false;
  g_clear_error (error);
  return true;
}

/* What a build has while it runs. */
static bool
check_staging (Audit *audit, const char *dir, const char *name, const char *id, GError **error)
{
  g_autoptr (VendBuild) build = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_store_build_get (audit->db, id, &build, &problem) && !is_missing (&problem))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  if (build == NULL || build->completed_us > 0)
    vend_audit_found (audit, CHECK_LEFTOVERS, name, "%s has it still, and the build is over", dir);
  return true;
}

static bool
check_version_folders (Audit *audit, GError **error)
{
  g_autofree char *versions = NULL;
  g_autoptr (GDir) listing = open_folder (audit, "versions", &versions);
  /* A start removes what a crash left there. */
  if (audit->options->live == NULL)
    return true;
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      bool used = true;
      if (g_str_has_prefix (name, "."))
        {
          if (!check_staging (audit, versions, name, name + 1, error))
            return false;
          continue;
        }
      if (!vend_store_version_id_used (audit->db, name, &used, error))
        return false;
      if (!used)
        vend_audit_found (audit, CHECK_VERSIONS, name, "its folder has no version");
    }
  return true;
}

/* ---- Uploads, builds, temporary files */

static bool
check_uploads (Audit *audit, GError **error)
{
  g_autofree char *uploads = NULL;
  g_autoptr (GDir) listing = open_folder (audit, "uploads", &uploads);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *id = g_strndup (name, strcspn (name, "."));
      g_autoptr (VendUpload) upload = NULL;
      g_autoptr (GError) problem = NULL;
      if (vend_store_upload_get (audit->db, id, &upload, &problem))
        continue;
      if (!is_missing (&problem))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
      vend_audit_found (audit, CHECK_UPLOADS, name, "the source in %s has no row", uploads);
    }
  return true;
}

/* Uploads of the registry without a row go a day after their last byte. */
static bool
check_registry_uploads (Audit *audit, GError **error)
{
  g_autofree char *uploads = NULL;
  g_autoptr (GDir) listing = open_folder (audit, "blobs/uploads", &uploads);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (uploads, name, NULL);
      g_autoptr (GError) problem = NULL;
      int64_t repository = 0;
      if (!is_older (audit, path, SPOOL_LIFE_US + SWEPT_LIFE_US)
          || vend_store_registry_upload_get (audit->db, name, &repository, &problem))
        continue;
      if (!is_missing (&problem))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
      vend_audit_found (audit, CHECK_UPLOADS, name, "the blob in %s has no row", uploads);
    }
  return true;
}

/* Logs stay for a month, archives of exports for a day. */
static bool
check_builds (Audit *audit, GError **error)
{
  g_autofree char *builds = NULL;
  g_autoptr (GDir) listing = open_folder (audit, "builds", &builds);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *id = g_strndup (name, strcspn (name, "."));
      if (!g_str_has_suffix (name, ".log") && !g_str_has_suffix (name, VEND_BUILD_ARCHIVE)
          && !check_staging (audit, builds, name, id, error))
        return false;
    }
  return true;
}

static void
check_spool (Audit *audit)
{
  g_autofree char *spool = NULL;
  g_autoptr (GDir) listing = open_folder (audit, "blobs/spool", &spool);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (spool, name, NULL);
      if (is_older (audit, path, SPOOL_LIFE_US))
        vend_audit_found (audit, CHECK_LEFTOVERS, name, "%s is half written, and old", path);
    }
}

static void
check_probes (Audit *audit)
{
  const char *data_dir = audit->options->data_dir;
  g_autoptr (GDir) listing = g_dir_open (data_dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (data_dir, name, NULL);
      if (g_str_has_prefix (name, VEND_PROBE_PREFIX) && is_older (audit, path, SWEPT_LIFE_US))
        vend_audit_found (audit, CHECK_LEFTOVERS, name,
                          "a check of the file system left this folder in %s", data_dir);
    }
}

bool
vend_audit_files (Audit *audit, GError **error)
{
  if (!vend_store_audit_contents (audit->db, seen_content, audit, error)
      || !vend_store_audit_versions (audit->db, seen_version, audit, error)
      || !check_version_folders (audit, error))
    return false;
  if (audit->options->live == NULL)
    return true;
  check_spool (audit);
  check_probes (audit);
  check_weight_names (audit);
  return check_weight_sets (audit, error) && check_blobs (audit, error)
         && check_uploads (audit, error) && check_registry_uploads (audit, error)
         && check_builds (audit, error);
}
