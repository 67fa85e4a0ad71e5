/* Store functions of models and versions. */
#include "store/models.h"
#include "store/aliases.h"
#include "base/error.h"
#include "store/collections.h"
#include "store/covers.h"
#include "store/examples.h"
#include "store/registry.h"
#include "store/scaling.h"
#include "store/weight-sets.h"
#include "store/weights.h"

static void *
read_model (VendStmt *stmt)
{
  VendModel *model = vend_model_new ();
  model->id = vend_stmt_get_int (stmt, VEND_COL_MODEL_ID);
  model->account_id = vend_stmt_get_int (stmt, VEND_COL_MODEL_ACCOUNT_ID);
  model->owner = vend_stmt_dup_text (stmt, VEND_COL_MODEL_OWNER);
  model->name = vend_stmt_dup_text (stmt, VEND_COL_MODEL_NAME);
  model->is_private = vend_stmt_get_int (stmt, VEND_COL_MODEL_IS_PRIVATE) != 0;
  model->hardware = vend_stmt_dup_text (stmt, VEND_COL_MODEL_HARDWARE);
  model->description = vend_stmt_dup_text (stmt, VEND_COL_MODEL_DESCRIPTION);
  model->readme = vend_stmt_dup_text (stmt, VEND_COL_MODEL_README);
  model->github_url = vend_stmt_dup_text (stmt, VEND_COL_MODEL_GITHUB_URL);
  model->paper_url = vend_stmt_dup_text (stmt, VEND_COL_MODEL_PAPER_URL);
  model->license_url = vend_stmt_dup_text (stmt, VEND_COL_MODEL_LICENSE_URL);
  model->weights_url = vend_stmt_dup_text (stmt, VEND_COL_MODEL_WEIGHTS_URL);
  model->cover_image_url = vend_stmt_dup_text (stmt, VEND_COL_MODEL_COVER_IMAGE_URL);
  model->default_example = vend_stmt_dup_text (stmt, VEND_COL_MODEL_DEFAULT_EXAMPLE);
  model->latest_version = vend_stmt_dup_text (stmt, VEND_COL_MODEL_LATEST_VERSION);
  model->run_count = vend_stmt_get_int (stmt, VEND_COL_MODEL_RUN_COUNT);
  model->created_us = vend_stmt_get_int (stmt, VEND_COL_MODEL_CREATED_US);
  return model;
}

bool
vend_store_model_insert (VendDb *db, VendModel *model, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MODEL_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, VEND_ARG_NEW_MODEL_ACCOUNT_ID, model->account_id);
  vend_stmt_text (stmt, VEND_ARG_NEW_MODEL_OWNER, model->owner);
  vend_stmt_text (stmt, VEND_ARG_NEW_MODEL_NAME, model->name);
  vend_stmt_int (stmt, VEND_ARG_NEW_MODEL_IS_PRIVATE, model->is_private);
  vend_stmt_text (stmt, VEND_ARG_NEW_MODEL_HARDWARE, model->hardware);
  vend_stmt_text (stmt, VEND_ARG_NEW_MODEL_DESCRIPTION, model->description);
  vend_stmt_text (stmt, VEND_ARG_NEW_MODEL_README, model->readme);
  vend_stmt_text (stmt, VEND_ARG_NEW_MODEL_GITHUB_URL, model->github_url);
  vend_stmt_text (stmt, VEND_ARG_NEW_MODEL_PAPER_URL, model->paper_url);
  vend_stmt_text (stmt, VEND_ARG_NEW_MODEL_LICENSE_URL, model->license_url);
  vend_stmt_text (stmt, VEND_ARG_NEW_MODEL_WEIGHTS_URL, model->weights_url);
  vend_stmt_text (stmt, VEND_ARG_NEW_MODEL_COVER_IMAGE_URL, model->cover_image_url);
  vend_stmt_int (stmt, VEND_ARG_NEW_MODEL_CREATED_US, model->created_us);
  if (!vend_stmt_one (stmt, "model", error))
    {
      g_prefix_error (error, "model %s/%s: ", model->owner, model->name);
      return false;
    }
  model->id = vend_stmt_get_int (stmt, 0);
  return vend_stmt_run (stmt, NULL, error);
}

static bool
one_model (VendStmt *stmt, VendModel **out, GError **error)
{
  if (!vend_stmt_one (stmt, "model", error))
    return false;
  *out = read_model (stmt);
  return true;
}

bool
vend_store_model_get (VendDb *db, int64_t id, VendModel **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MODEL_BY_ID, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, id);
  return one_model (stmt, out, error);
}

bool
vend_store_model_by_name (VendDb *db, const char *owner, const char *name, VendModel **out,
                          GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MODEL_BY_NAME, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, owner);
  vend_stmt_text (stmt, 2, name);
  return one_model (stmt, out, error);
}

bool
vend_store_model_by_version (VendDb *db, const char *version, int64_t viewer, VendModel **out,
                             GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MODEL_BY_VERSION, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, version);
  vend_stmt_int (stmt, 2, viewer);
  return one_model (stmt, out, error);
}

bool
vend_store_model_update (VendDb *db, const VendModel *model, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MODEL_UPDATE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model->id);
  vend_stmt_text (stmt, 2, model->description);
  vend_stmt_text (stmt, 3, model->readme);
  vend_stmt_text (stmt, 4, model->github_url);
  vend_stmt_text (stmt, 5, model->paper_url);
  vend_stmt_text (stmt, 6, model->license_url);
  vend_stmt_text (stmt, 7, model->weights_url);
  vend_stmt_int (stmt, 8, model->is_private);
  return vend_stmt_run_one (stmt, "model", error);
}

bool
vend_store_model_present (VendDb *db, const VendModel *model, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MODEL_PRESENT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model->id);
  vend_stmt_text (stmt, 2, model->description);
  vend_stmt_text (stmt, 3, model->readme);
  vend_stmt_text (stmt, 4, model->github_url);
  vend_stmt_text (stmt, 5, model->paper_url);
  vend_stmt_text (stmt, 6, model->license_url);
  vend_stmt_text (stmt, 7, model->cover_image_url);
  return vend_stmt_run_one (stmt, "model", error);
}

static bool
delete_of_model (VendDb *db, VendSql sql, int64_t id, GError **error)
{
  int64_t n_changes = 0;
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, id);
  return vend_stmt_run (stmt, &n_changes, error);
}

bool
vend_store_model_delete (VendDb *db, int64_t id, GError **error)
{
  bool building = false;
  VendStmt *open = vend_db_stmt (db, VEND_SQL_MODEL_BUILDING, error);
  if (open == NULL)
    return false;
  vend_stmt_int (open, 1, id);
  if (!vend_stmt_step (open, &building, error))
    return false;
  if (building)
    return vend_fail (error, VEND_ERROR_CONFLICT, "a build of the model has not ended");
  if (!vend_store_example_delete_all (db, id, error) || !vend_store_cover_delete (db, id, error)
      || !vend_store_collection_forget_model (db, id, error)
      || !vend_store_scaling_delete (db, id, error)
      || !vend_store_registry_forget_model (db, id, error)
      || !vend_store_openai_forget_model (db, id, error)
      || !delete_of_model (db, VEND_SQL_MODEL_DELETE_BUILDS, id, error)
      /* Another model may get its number. */
      || !delete_of_model (db, VEND_SQL_MODEL_DELETE_DESTINATION, id, error)
      || !delete_of_model (db, VEND_SQL_MODEL_DELETE_RUNS, id, error))
    return false;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MODEL_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, id);
  return vend_stmt_run_one (stmt, "model", error);
}

bool
vend_store_model_count (VendDb *db, int64_t account_id, int64_t *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MODEL_COUNT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  if (!vend_stmt_one (stmt, "count", error))
    return false;
  *out = vend_stmt_get_int (stmt, 0);
  return true;
}

static void *
read_sorted (VendStmt *stmt)
{
  VendModel *model = read_model (stmt);
  model->sort_us = vend_stmt_get_int (stmt, VEND_COL_MODEL_N);
  return model;
}

bool
vend_store_model_page (VendDb *db, const VendModelPage *page, VendPage *rows, GPtrArray **out,
                       GError **error)
{
  static const VendSql statements[2][2] = {
    { VEND_SQL_MODEL_PAGE_VERSION_DESC, VEND_SQL_MODEL_PAGE_VERSION_ASC },
    { VEND_SQL_MODEL_PAGE_CREATED_DESC, VEND_SQL_MODEL_PAGE_CREATED_ASC },
  };
  VendStmt *stmt = vend_db_stmt (db, statements[page->by_creation][page->ascending], error);
  if (stmt == NULL)
    return false;
  int64_t start = page->ascending ? -1 : G_MAXINT64;
  vend_stmt_int (stmt, 1, page->first ? start : page->after_us);
  vend_stmt_int (stmt, 2, page->first ? start : page->after_id);
  vend_stmt_int (stmt, 3, page->viewer);
  vend_stmt_int (stmt, 4, (int64_t) rows->limit + 1);
  return vend_stmt_page (stmt, read_sorted, (GDestroyNotify) vend_model_free, rows, out, error);
}

static void *
read_version (VendStmt *stmt)
{
  VendVersion *version = g_new0 (VendVersion, 1);
  version->id = vend_stmt_dup_text (stmt, VEND_COL_VERSION_ID);
  version->model_id = vend_stmt_get_int (stmt, VEND_COL_VERSION_MODEL_ID);
  version->cog_version = vend_stmt_dup_text (stmt, VEND_COL_VERSION_COG_VERSION);
  version->openapi = vend_stmt_get_json (stmt, VEND_COL_VERSION_OPENAPI);
  version->launch = vend_stmt_get_json (stmt, VEND_COL_VERSION_LAUNCH);
  version->manifest = vend_stmt_get_json (stmt, VEND_COL_VERSION_MANIFEST);
  version->source_sha256 = vend_stmt_dup_text (stmt, VEND_COL_VERSION_SOURCE_SHA256);
  version->source = vend_stmt_dup_text (stmt, VEND_COL_VERSION_SOURCE);
  version->base = vend_stmt_dup_text (stmt, VEND_COL_VERSION_BASE);
  version->training = vend_stmt_dup_text (stmt, VEND_COL_VERSION_TRAINING);
  version->image = vend_stmt_dup_text (stmt, VEND_COL_VERSION_IMAGE);
  version->created_us = vend_stmt_get_int (stmt, VEND_COL_VERSION_CREATED_US);
  return version;
}

static bool
set_latest (VendDb *db, const VendVersion *version, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_LATEST_SET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, version->model_id);
  vend_stmt_text (stmt, 2, version->id);
  vend_stmt_int (stmt, 3, version->created_us);
  return vend_stmt_run_one (stmt, "model", error);
}

static bool
insert_version (VendDb *db, const VendVersion *version, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, VEND_ARG_VERSION_ID, version->id);
  vend_stmt_int (stmt, VEND_ARG_VERSION_MODEL_ID, version->model_id);
  vend_stmt_text (stmt, VEND_ARG_VERSION_COG_VERSION, version->cog_version);
  vend_stmt_json (stmt, VEND_ARG_VERSION_OPENAPI, version->openapi);
  vend_stmt_json (stmt, VEND_ARG_VERSION_LAUNCH, version->launch);
  vend_stmt_json (stmt, VEND_ARG_VERSION_MANIFEST, version->manifest);
  vend_stmt_text (stmt, VEND_ARG_VERSION_SOURCE_SHA256, version->source_sha256);
  vend_stmt_text (stmt, VEND_ARG_VERSION_SOURCE, version->source);
  vend_stmt_text (stmt, VEND_ARG_VERSION_BASE, version->base);
  vend_stmt_text (stmt, VEND_ARG_VERSION_TRAINING, version->training);
  vend_stmt_text (stmt, VEND_ARG_VERSION_IMAGE, version->image);
  vend_stmt_int (stmt, VEND_ARG_VERSION_CREATED_US, version->created_us);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_version_put (VendDb *db, const VendVersion *version, GError **error)
{
  return insert_version (db, version, error) && set_latest (db, version, error);
}

bool
vend_store_version_put_image (VendDb *db, const VendVersion *version, bool is_newest,
                              GError **error)
{
  if (!insert_version (db, version, error))
    return false;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_LATEST_SET_IMAGE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, version->model_id);
  vend_stmt_text (stmt, 2, version->id);
  vend_stmt_int (stmt, 3, version->created_us);
  vend_stmt_int (stmt, 4, is_newest);
  return vend_stmt_run (stmt, NULL, error);
}

static bool
one_version (VendStmt *stmt, VendVersion **out, GError **error)
{
  if (!vend_stmt_one (stmt, "version", error))
    return false;
  *out = read_version (stmt);
  return true;
}

bool
vend_store_version_get (VendDb *db, int64_t model_id, const char *id, VendVersion **out,
                        GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_GET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, id);
  return one_version (stmt, out, error);
}

bool
vend_store_version_has (VendDb *db, int64_t model_id, const char *id, bool *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_HAS, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, id);
  return vend_stmt_step (stmt, out, error);
}

bool
vend_store_version_by_source (VendDb *db, int64_t model_id, const char *sha256, VendVersion **out,
                              GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_BY_SOURCE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, sha256);
  return one_version (stmt, out, error);
}

bool
vend_store_version_page (VendDb *db, int64_t model_id, int64_t after_us, const char *after_id,
                         VendPage *page, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_PAGE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_int (stmt, 2, after_id != NULL ? after_us : G_MAXINT64);
  vend_stmt_text (stmt, 3, after_id != NULL ? after_id : "");
  vend_stmt_int (stmt, 4, (int64_t) page->limit + 1);
  return vend_stmt_page (stmt, read_version, (GDestroyNotify) vend_version_free, page, out, error);
}

static bool
forget_image (VendDb *db, int64_t model_id, const char *id, GError **error)
{
  g_autoptr (VendVersion) version = NULL;
  if (!vend_store_version_get (db, model_id, id, &version, error))
    return false;
  if (version->image == NULL)
    return true;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_FORGET_UNPACKED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, id);
  return vend_stmt_run (stmt, NULL, error)
         && vend_store_registry_forget_version (db, model_id, version->image, error);
}

bool
vend_store_version_delete (VendDb *db, int64_t model_id, const char *id, GError **error)
{
  if (!vend_store_weights_delete_of (db, model_id, id, error)
      || !vend_store_weight_sets_let_go (db, model_id, id, error)
      || !forget_image (db, model_id, id, error))
    return false;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, id);
  if (!vend_stmt_run_one (stmt, "version", error))
    return false;
  vend_db_forget_found (db);

  stmt = vend_db_stmt (db, VEND_SQL_VERSION_LATEST_RECOUNT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_version_set_unpacked (VendDb *db, int64_t model_id, const char *id, int64_t bytes,
                                 GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_SET_UNPACKED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, id);
  vend_stmt_int (stmt, 3, bytes);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_version_id_used (VendDb *db, const char *id, bool *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_ID_USED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  return vend_stmt_step (stmt, out, error);
}

bool
vend_store_version_image_used (VendDb *db, const char *id, bool *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_IMAGE_USED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  return vend_stmt_step (stmt, out, error);
}

bool
vend_store_venvs_used (VendDb *db, GHashTable **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_VERSION_VENVS, error);
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (stmt == NULL)
    return false;
  for (;;)
    {
      bool row = false;
      if (!vend_stmt_step (stmt, &row, error))
        return false;
      if (!row)
        break;
      json_auto_t *launch = vend_stmt_get_json (stmt, 0);
      const char *venv = vend_json_string (launch, "venv");
      if (venv != NULL)
        g_hash_table_add (used, g_strdup (venv));
    }
  *out = g_steal_pointer (&used);
  return true;
}
