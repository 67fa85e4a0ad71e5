/* Store functions of the registry. */
#include "store/registry.h"
#include "base/error.h"

static void *
read_text (VendStmt *stmt)
{
  return vend_stmt_dup_text (stmt, 0);
}

/* A statement with a number and a text, or NULL. */
static VendStmt *
of_repository (VendDb *db, VendSql sql, int64_t repository, const char *text, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return NULL;
  vend_stmt_int (stmt, 1, repository);
  vend_stmt_text (stmt, 2, text);
  return stmt;
}

/* ---- Repositories */

bool
vend_store_repository_find (VendDb *db, int64_t model_id, const char *path, int64_t *out,
                            GError **error)
{
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_REPOSITORY_FIND, model_id, path, error);
  if (stmt == NULL || !vend_stmt_one (stmt, "repository", error))
    return false;
  *out = vend_stmt_get_int (stmt, 0);
  return true;
}

bool
vend_store_repository_ensure (VendDb *db, int64_t model_id, const char *path, int64_t *out,
                              GError **error)
{
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_REPOSITORY_INSERT, model_id, path, error);
  return stmt != NULL && vend_stmt_run (stmt, NULL, error)
         && vend_store_repository_find (db, model_id, path, out, error);
}

bool
vend_store_repository_all (VendDb *db, GArray **out, GError **error)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (int64_t));
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_REGISTRY_REPOSITORIES, error);
  if (stmt == NULL)
    return false;
  for (;;)
    {
      bool row = false;
      if (!vend_stmt_step (stmt, &row, error))
        return false;
      if (!row)
        break;
      const int64_t id = vend_stmt_get_int (stmt, 0);
      g_array_append_val (all, id);
    }
  *out = g_steal_pointer (&all);
  return true;
}

/* ---- Uploads */

bool
vend_store_registry_upload_insert (VendDb *db, const char *id, int64_t repository, int64_t now_us,
                                   GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_REGISTRY_UPLOAD_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  vend_stmt_int (stmt, 2, repository);
  vend_stmt_int (stmt, 3, now_us);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_registry_upload_get (VendDb *db, const char *id, int64_t *out_repository, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_REGISTRY_UPLOAD_GET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  if (!vend_stmt_one (stmt, "upload", error))
    return false;
  *out_repository = vend_stmt_get_int (stmt, 0);
  return true;
}

bool
vend_store_registry_upload_delete (VendDb *db, const char *id, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_REGISTRY_UPLOAD_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  return vend_stmt_run_one (stmt, "upload", error);
}

bool
vend_store_registry_upload_before (VendDb *db, int64_t before_us, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_REGISTRY_UPLOADS_BEFORE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, before_us);
  return vend_stmt_collect (stmt, read_text, g_free, out, error);
}

/* ---- Blobs */

bool
vend_store_registry_blob_put (VendDb *db, const VendRegistryBlob *blob, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_REGISTRY_BLOB_PUT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, VEND_ARG_REGISTRY_BLOB_REPOSITORY, blob->repository);
  vend_stmt_text (stmt, VEND_ARG_REGISTRY_BLOB_DIGEST, blob->digest);
  vend_stmt_text (stmt, VEND_ARG_REGISTRY_BLOB_SHA256, blob->sha256);
  vend_stmt_int (stmt, VEND_ARG_REGISTRY_BLOB_SIZE, blob->size);
  vend_stmt_int (stmt, VEND_ARG_REGISTRY_BLOB_USED_US, blob->used_us);
  return vend_stmt_run (stmt, NULL, error);
}

static void *
read_blob (VendStmt *stmt)
{
  VendRegistryBlob *blob = g_new0 (VendRegistryBlob, 1);
  blob->repository = vend_stmt_get_int (stmt, VEND_COL_REGISTRY_BLOB_REPOSITORY);
  blob->digest = vend_stmt_dup_text (stmt, VEND_COL_REGISTRY_BLOB_DIGEST);
  blob->sha256 = vend_stmt_dup_text (stmt, VEND_COL_REGISTRY_BLOB_SHA256);
  blob->size = vend_stmt_get_int (stmt, VEND_COL_REGISTRY_BLOB_SIZE);
  blob->used_us = vend_stmt_get_int (stmt, VEND_COL_REGISTRY_BLOB_USED_US);
  return blob;
}

static bool
one_blob (VendStmt *stmt, VendRegistryBlob **out, GError **error)
{
  if (stmt == NULL || !vend_stmt_one (stmt, "blob", error))
    return false;
  *out = read_blob (stmt);
  return true;
}

bool
vend_store_registry_blob_get (VendDb *db, int64_t repository, const char *digest,
                              VendRegistryBlob **out, GError **error)
{
  return one_blob (of_repository (db, VEND_SQL_REGISTRY_BLOB_GET, repository, digest, error), out,
                   error);
}

bool
vend_store_registry_blob_find (VendDb *db, int64_t account_id, const char *digest,
                               VendRegistryBlob **out, GError **error)
{
  return one_blob (of_repository (db, VEND_SQL_REGISTRY_BLOB_FIND, account_id, digest, error), out,
                   error);
}

bool
vend_store_registry_blob_use (VendDb *db, int64_t repository, const char *digest, int64_t now_us,
                              GError **error)
{
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_BLOB_USE, repository, digest, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 3, now_us);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_registry_blob_delete (VendDb *db, int64_t repository, const char *digest, GError **error)
{
  bool is_needed = false;
  VendStmt *needed = of_repository (db, VEND_SQL_REGISTRY_BLOB_NEEDED, repository, digest, error);
  if (needed == NULL || !vend_stmt_step (needed, &is_needed, error))
    return false;
  if (is_needed)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "the manifest %s needs this blob; delete it first",
                      vend_stmt_get_text (needed, 0));
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_BLOB_DELETE, repository, digest, error);
  return stmt != NULL && vend_stmt_run_one (stmt, "blob", error);
}

/* Rows of a repository that nothing has used since; at most `limit`. */
static bool
unused (VendDb *db, VendSql sql, int64_t repository, int64_t before_us, int limit,
        VendStmtRead read, GDestroyNotify destroy, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, repository);
  vend_stmt_int (stmt, 2, before_us);
  vend_stmt_int (stmt, 3, limit);
  return vend_stmt_collect (stmt, read, destroy, out, error);
}

bool
vend_store_registry_blob_unused (VendDb *db, int64_t repository, int64_t before_us, int limit,
                                 GPtrArray **out, GError **error)
{
  return unused (db, VEND_SQL_REGISTRY_BLOBS_UNUSED, repository, before_us, limit, read_blob,
                 (GDestroyNotify) vend_registry_blob_free, out, error);
}

/* ---- Manifests */

static bool
insert_part (VendDb *db, const VendRegistryManifest *manifest, const VendRegistryPart *part,
             GError **error)
{
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_PART_INSERT, manifest->repository,
                                  manifest->digest, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 3, part->digest);
  vend_stmt_int (stmt, 4, part->is_manifest);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_registry_manifest_put (VendDb *db, const VendRegistryManifest *manifest,
                                  const GPtrArray *parts, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_REGISTRY_MANIFEST_PUT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, VEND_ARG_REGISTRY_MANIFEST_REPOSITORY, manifest->repository);
  vend_stmt_text (stmt, VEND_ARG_REGISTRY_MANIFEST_DIGEST, manifest->digest);
  vend_stmt_text (stmt, VEND_ARG_REGISTRY_MANIFEST_SHA256, manifest->sha256);
  vend_stmt_int (stmt, VEND_ARG_REGISTRY_MANIFEST_SIZE, manifest->size);
  vend_stmt_text (stmt, VEND_ARG_REGISTRY_MANIFEST_MEDIA_TYPE, manifest->media_type);
  vend_stmt_text (stmt, VEND_ARG_REGISTRY_MANIFEST_ARTIFACT_TYPE, manifest->artifact_type);
  vend_stmt_json (stmt, VEND_ARG_REGISTRY_MANIFEST_ANNOTATIONS, manifest->annotations);
  vend_stmt_text (stmt, VEND_ARG_REGISTRY_MANIFEST_SUBJECT, manifest->subject);
  vend_stmt_int (stmt, VEND_ARG_REGISTRY_MANIFEST_USED_US, manifest->used_us);
  if (!vend_stmt_run (stmt, NULL, error))
    return false;
  for (guint i = 0; i < parts->len; i++)
    if (!insert_part (db, manifest, g_ptr_array_index (parts, i), error))
      return false;
  return true;
}

static void *
read_manifest (VendStmt *stmt)
{
  VendRegistryManifest *manifest = g_new0 (VendRegistryManifest, 1);
  manifest->repository = vend_stmt_get_int (stmt, VEND_COL_REGISTRY_MANIFEST_REPOSITORY);
  manifest->digest = vend_stmt_dup_text (stmt, VEND_COL_REGISTRY_MANIFEST_DIGEST);
  manifest->sha256 = vend_stmt_dup_text (stmt, VEND_COL_REGISTRY_MANIFEST_SHA256);
  manifest->size = vend_stmt_get_int (stmt, VEND_COL_REGISTRY_MANIFEST_SIZE);
  manifest->media_type = vend_stmt_dup_text (stmt, VEND_COL_REGISTRY_MANIFEST_MEDIA_TYPE);
  manifest->artifact_type = vend_stmt_dup_text (stmt, VEND_COL_REGISTRY_MANIFEST_ARTIFACT_TYPE);
  manifest->annotations = vend_stmt_get_json (stmt, VEND_COL_REGISTRY_MANIFEST_ANNOTATIONS);
  manifest->subject = vend_stmt_dup_text (stmt, VEND_COL_REGISTRY_MANIFEST_SUBJECT);
  manifest->used_us = vend_stmt_get_int (stmt, VEND_COL_REGISTRY_MANIFEST_USED_US);
  return manifest;
}

bool
vend_store_registry_manifest_get (VendDb *db, int64_t repository, const char *digest,
                                  VendRegistryManifest **out, GError **error)
{
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_MANIFEST_GET, repository, digest, error);
  if (stmt == NULL || !vend_stmt_one (stmt, "manifest", error))
    return false;
  *out = read_manifest (stmt);
  return true;
}

bool
vend_store_registry_manifest_delete (VendDb *db, int64_t repository, const char *digest,
                                     GError **error)
{
  static const VendSql others[]
      = { VEND_SQL_REGISTRY_MANIFEST_DELETE_TAGS, VEND_SQL_REGISTRY_MANIFEST_DELETE_PARTS };
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      VendStmt *other = of_repository (db, others[i], repository, digest, error);
      if (other == NULL || !vend_stmt_run (other, NULL, error))
        return false;
    }
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_MANIFEST_DELETE, repository, digest, error);
  return stmt != NULL && vend_stmt_run_one (stmt, "manifest", error);
}

bool
vend_store_registry_referrers (VendDb *db, int64_t repository, const char *subject,
                               const char *artifact_type, const char *after, int limit,
                               GPtrArray **out, GError **error)
{
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_REFERRERS, repository, subject, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 3, after);
  vend_stmt_text (stmt, 4, artifact_type);
  vend_stmt_int (stmt, 5, limit);
  return vend_stmt_collect (stmt, read_manifest, (GDestroyNotify) vend_registry_manifest_free, out,
                            error);
}

bool
vend_store_registry_manifest_unused (VendDb *db, int64_t repository, int64_t before_us, int limit,
                                     GPtrArray **out, GError **error)
{
  return unused (db, VEND_SQL_REGISTRY_MANIFESTS_UNUSED, repository, before_us, limit,
                 read_manifest, (GDestroyNotify) vend_registry_manifest_free, out, error);
}

bool
vend_store_registry_images_of (VendDb *db, int64_t repository, const char *index, GPtrArray **out,
                               GError **error)
{
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_IMAGES_OF, repository, index, error);
  return stmt != NULL && vend_stmt_collect (stmt, read_text, g_free, out, error);
}

bool
vend_store_registry_indexes_of (VendDb *db, int64_t repository, const char *manifest,
                                GPtrArray **out, GError **error)
{
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_INDEXES_OF, repository, manifest, error);
  return stmt != NULL && vend_stmt_collect (stmt, read_text, g_free, out, error);
}

/* ---- Tags */

bool
vend_store_registry_tag_get (VendDb *db, int64_t repository, const char *name, char **out_digest,
                             GError **error)
{
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_TAG_GET, repository, name, error);
  if (stmt == NULL || !vend_stmt_one (stmt, "tag", error))
    return false;
  *out_digest = vend_stmt_dup_text (stmt, 0);
  return true;
}

bool
vend_store_registry_tag_put (VendDb *db, int64_t repository, const char *name, const char *digest,
                             bool *out_is_new, GError **error)
{
  int64_t n_changes = 0;
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_TAG_PUT, repository, name, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 3, digest);
  if (!vend_stmt_run (stmt, &n_changes, error))
    return false;
  *out_is_new = n_changes > 0;
  return true;
}

bool
vend_store_registry_tag_delete (VendDb *db, int64_t repository, const char *name, GError **error)
{
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_TAG_DELETE, repository, name, error);
  return stmt != NULL && vend_stmt_run_one (stmt, "tag", error);
}

bool
vend_store_registry_tag_list (VendDb *db, int64_t repository, const char *after, int limit,
                              GPtrArray **out, GError **error)
{
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_TAGS, repository, after, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 3, limit);
  return vend_stmt_collect (stmt, read_text, g_free, out, error);
}

/* ---- With a version, and with a model */

bool
vend_store_registry_forget_version (VendDb *db, int64_t model_id, const char *image, GError **error)
{
  VendStmt *stmt = of_repository (db, VEND_SQL_REGISTRY_FORGET_VERSION, model_id, image, error);
  return stmt != NULL && vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_registry_forget_model (VendDb *db, int64_t model_id, GError **error)
{
  static const VendSql all[]
      = { VEND_SQL_REGISTRY_FORGET_TAGS,      VEND_SQL_REGISTRY_FORGET_PARTS,
          VEND_SQL_REGISTRY_FORGET_MANIFESTS, VEND_SQL_REGISTRY_FORGET_BLOBS,
          VEND_SQL_REGISTRY_FORGET_UPLOADS,   VEND_SQL_REGISTRY_FORGET_REPOSITORIES };
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      VendStmt *stmt = vend_db_stmt (db, all[i], error);
      if (stmt == NULL)
        return false;
      vend_stmt_int (stmt, 1, model_id);
      if (!vend_stmt_run (stmt, NULL, error))
        return false;
    }
  return true;
}
