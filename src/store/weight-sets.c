/* Store functions of managed weights. */
#include "store/weight-sets.h"
#include <string.h>

void
vend_stored_weights_free (VendStoredWeights *stored)
{
  if (stored == NULL)
    return;
  vend_weight_set_free (stored->set);
  g_free (stored);
}

void
vend_held_weights_free (VendHeldWeights *held)
{
  if (held == NULL)
    return;
  g_free (held->owner);
  g_free (held->model);
  g_free (held->version);
  vend_weight_set_free (held->set);
  g_free (held);
}

/* ---- Changes */

static bool
hold (VendDb *db, int64_t model_id, const char *version, const VendWeightSet *set, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHT_SET_HOLD, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, version);
  vend_stmt_text (stmt, 3, set->name);
  vend_stmt_text (stmt, 4, set->target);
  vend_stmt_text (stmt, 5, set->digest);
  vend_stmt_int (stmt, 6, set->size);
  vend_stmt_text (stmt, 7, set->source);
  vend_stmt_int (stmt, 8, set->can_fetch);
  vend_stmt_int (stmt, 9, set->any_host);
  return vend_stmt_run (stmt, NULL, error);
}

static bool
insert_file (VendDb *db, const char *digest, const char *sha256, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHT_SET_FILE_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, digest);
  vend_stmt_text (stmt, 2, sha256);
  return vend_stmt_run (stmt, NULL, error);
}

static bool
insert (VendDb *db, const VendWeightSet *set, int64_t now_us, GError **error)
{
  json_auto_t *object = vend_weight_set_to_json (set);
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHT_SET_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, VEND_ARG_NEW_WEIGHT_SET_DIGEST, set->digest);
  vend_stmt_int (stmt, VEND_ARG_NEW_WEIGHT_SET_SIZE, set->size);
  vend_stmt_json (stmt, VEND_ARG_NEW_WEIGHT_SET_FILES, json_object_get (object, "files"));
  vend_stmt_int (stmt, VEND_ARG_NEW_WEIGHT_SET_USED_US, now_us);
  vend_stmt_int (stmt, VEND_ARG_NEW_WEIGHT_SET_CREATED_US, now_us);
  if (!vend_stmt_run (stmt, NULL, error))
    return false;
  for (guint i = 0; i < set->files->len; i++)
    if (!insert_file (db, set->digest,
                      ((const VendWeightFile *) g_ptr_array_index (set->files, i))->sha256, error))
      return false;
  return true;
}

bool
vend_store_weight_sets_put (VendDb *db, int64_t model_id, const char *version,
                            const GPtrArray *sets, int64_t now_us, GError **error)
{
  for (guint i = 0; i < sets->len; i++)
    {
      const VendWeightSet *set = g_ptr_array_index (sets, i);
      if (!insert (db, set, now_us, error) || !hold (db, model_id, version, set, error))
        return false;
    }
  return true;
}

bool
vend_store_weight_sets_share (VendDb *db, int64_t model_id, const char *version,
                              const GPtrArray *sets, GError **error)
{
  for (guint i = 0; i < sets->len; i++)
    if (!hold (db, model_id, version, g_ptr_array_index (sets, i), error))
      return false;
  return true;
}

static bool
run_plain (VendDb *db, VendSql sql, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  return stmt != NULL && vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_weight_sets_let_go (VendDb *db, int64_t model_id, const char *version, GError **error)
{
  int64_t n = 0;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHT_SETS_LET_GO, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, version);
  if (!vend_stmt_run (stmt, &n, error))
    return false;
  return n == 0
         || (run_plain (db, VEND_SQL_WEIGHT_FILES_FORGET, error)
             && run_plain (db, VEND_SQL_WEIGHT_SETS_FORGET, error));
}

static bool
change_set (VendDb *db, VendSql sql, const char *digest, int64_t now_us, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, digest);
  vend_stmt_int (stmt, 2, now_us);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_weight_set_present (VendDb *db, const char *digest, int64_t now_us, GError **error)
{
  return change_set (db, VEND_SQL_WEIGHT_SET_PRESENT, digest, now_us, error);
}

bool
vend_store_weight_set_used (VendDb *db, const char *digest, int64_t now_us, GError **error)
{
  return change_set (db, VEND_SQL_WEIGHT_SET_USED, digest, now_us, error);
}

bool
vend_store_weight_set_absent (VendDb *db, const char *digest, bool *out_done, GError **error)
{
  int64_t n = 0;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHT_SET_ABSENT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, digest);
  if (!vend_stmt_run (stmt, &n, error))
    return false;
  *out_done = n > 0;
  return true;
}

bool
vend_store_weight_sets_pin (VendDb *db, int64_t model_id, const char *version, bool is_pinned,
                            GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHT_SET_PIN, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, version);
  vend_stmt_int (stmt, 3, is_pinned);
  return vend_stmt_run (stmt, NULL, error);
}

/* ---- Reading */

static void
add_files (VendWeightSet *set, const json_t *files)
{
  size_t i;
  json_t *file;
  json_array_foreach ((json_t *) files, i, file)
    vend_weight_set_add (set, vend_json_string (file, "path"), vend_json_int (file, "size", 0),
                         vend_json_string (file, "sha256"));
}

static void *
read_stored (VendStmt *stmt)
{
  VendStoredWeights *stored = g_new0 (VendStoredWeights, 1);
  VendWeightSet *set = stored->set = vend_weight_set_new ();
  json_auto_t *files = vend_stmt_get_json (stmt, VEND_COL_WEIGHT_SET_FILES);
  set->digest = vend_stmt_dup_text (stmt, VEND_COL_WEIGHT_SET_DIGEST);
  set->can_fetch = vend_stmt_get_int (stmt, VEND_COL_WEIGHT_SET_CAN_FETCH) != 0;
  set->size = vend_stmt_get_int (stmt, VEND_COL_WEIGHT_SET_SIZE);
  add_files (set, files);
  stored->is_present = vend_stmt_get_int (stmt, VEND_COL_WEIGHT_SET_IS_PRESENT) != 0;
  stored->used_us = vend_stmt_get_int (stmt, VEND_COL_WEIGHT_SET_USED_US);
  stored->is_pinned = vend_stmt_get_int (stmt, VEND_COL_WEIGHT_SET_IS_PINNED) != 0;
  return stored;
}

static void *
read_held (VendStmt *stmt)
{
  VendHeldWeights *held = g_new0 (VendHeldWeights, 1);
  VendWeightSet *set = held->set = vend_weight_set_new ();
  json_auto_t *files = vend_stmt_get_json (stmt, VEND_COL_HELD_WEIGHTS_FILES);
  held->model_id = vend_stmt_get_int (stmt, VEND_COL_HELD_WEIGHTS_MODEL_ID);
  held->owner = vend_stmt_dup_text (stmt, VEND_COL_HELD_WEIGHTS_OWNER);
  held->model = vend_stmt_dup_text (stmt, VEND_COL_HELD_WEIGHTS_MODEL);
  held->version = vend_stmt_dup_text (stmt, VEND_COL_HELD_WEIGHTS_VERSION);
  held->is_pinned = vend_stmt_get_int (stmt, VEND_COL_HELD_WEIGHTS_IS_PINNED) != 0;
  held->is_present = vend_stmt_get_int (stmt, VEND_COL_HELD_WEIGHTS_IS_PRESENT) != 0;
  held->used_us = vend_stmt_get_int (stmt, VEND_COL_HELD_WEIGHTS_USED_US);
  set->name = vend_stmt_dup_text (stmt, VEND_COL_HELD_WEIGHTS_NAME);
  set->target = vend_stmt_dup_text (stmt, VEND_COL_HELD_WEIGHTS_TARGET);
  set->digest = vend_stmt_dup_text (stmt, VEND_COL_HELD_WEIGHTS_DIGEST);
  set->source = vend_stmt_dup_text (stmt, VEND_COL_HELD_WEIGHTS_SOURCE);
  set->can_fetch = vend_stmt_get_int (stmt, VEND_COL_HELD_WEIGHTS_CAN_FETCH) != 0;
  set->any_host = vend_stmt_get_int (stmt, VEND_COL_HELD_WEIGHTS_ANY_HOST) != 0;
  set->size = vend_stmt_get_int (stmt, VEND_COL_HELD_WEIGHTS_SIZE);
  add_files (set, files);
  return held;
}

bool
vend_store_weight_sets_all (VendDb *db, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHT_SETS_ALL, error);
  return stmt != NULL
         && vend_stmt_collect (stmt, read_stored, (GDestroyNotify) vend_stored_weights_free, out,
                               error);
}

bool
vend_store_weight_set_is_present (VendDb *db, const char *digest, bool *out, GError **error)
{
  bool row = false;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHT_SET_HAS, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, digest);
  if (!vend_stmt_step (stmt, &row, error))
    return false;
  *out = row && vend_stmt_get_int (stmt, 0) != 0;
  return true;
}

bool
vend_store_weight_sets_of_urls (VendDb *db, int64_t account_id, json_t **out, GError **error)
{
  json_auto_t *object = json_object ();
  bool row = false;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHT_SETS_OF_URLS, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  for (;;)
    {
      if (!vend_stmt_step (stmt, &row, error))
        return false;
      if (!row)
        break;
      json_object_set_new (object, vend_stmt_get_text (stmt, 0), vend_stmt_get_json (stmt, 1));
    }
  *out = json_incref (object);
  return true;
}

bool
vend_store_weights_held_by_account (VendDb *db, int64_t account_id, const VendHeldWeights *after,
                                    VendPage *page, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHTS_HELD_BY_ACCOUNT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_text (stmt, 2, after != NULL ? after->owner : "");
  vend_stmt_text (stmt, 3, after != NULL ? after->model : "");
  vend_stmt_text (stmt, 4, after != NULL ? after->version : "");
  vend_stmt_text (stmt, 5, after != NULL ? after->set->name : "");
  vend_stmt_int (stmt, 6, (int64_t) page->limit + 1);
  return vend_stmt_page (stmt, read_held, (GDestroyNotify) vend_held_weights_free, page, out,
                         error);
}

bool
vend_store_weights_held_by_version (VendDb *db, int64_t model_id, const char *version,
                                    GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEIGHTS_HELD_BY_VERSION, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, version);
  return vend_stmt_collect (stmt, read_held, (GDestroyNotify) vend_held_weights_free, out, error);
}
