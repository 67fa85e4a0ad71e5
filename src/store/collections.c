/* Store functions of collections. */
#include "store/collections.h"

static void *
read_collection (VendStmt *stmt)
{
  VendCollection *collection = g_new0 (VendCollection, 1);
  collection->id = vend_stmt_get_int (stmt, 0);
  collection->slug = vend_stmt_dup_text (stmt, 1);
  collection->name = vend_stmt_dup_text (stmt, 2);
  collection->description = vend_stmt_dup_text (stmt, 3);
  collection->full_description = vend_stmt_dup_text (stmt, 4);
  collection->created_us = vend_stmt_get_int (stmt, 5);
  return collection;
}

bool
vend_store_collection_insert (VendDb *db, VendCollection *collection, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_COLLECTION_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, collection->slug);
  vend_stmt_text (stmt, 2, collection->name);
  vend_stmt_text (stmt, 3, collection->description);
  vend_stmt_text (stmt, 4, collection->full_description);
  vend_stmt_int (stmt, 5, collection->created_us);
  if (!vend_stmt_one (stmt, "collection", error))
    return false;
  collection->id = vend_stmt_get_int (stmt, 0);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_collection_update (VendDb *db, const VendCollection *collection, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_COLLECTION_UPDATE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, collection->id);
  vend_stmt_text (stmt, 2, collection->name);
  vend_stmt_text (stmt, 3, collection->description);
  vend_stmt_text (stmt, 4, collection->full_description);
  return vend_stmt_run_one (stmt, "collection", error);
}

static bool
one_collection (VendStmt *stmt, VendCollection **out, GError **error)
{
  if (!vend_stmt_one (stmt, "collection", error))
    return false;
  *out = read_collection (stmt);
  return true;
}

bool
vend_store_collection_by_slug (VendDb *db, const char *slug, VendCollection **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_COLLECTION_BY_SLUG, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, slug);
  return one_collection (stmt, out, error);
}

bool
vend_store_collection_get (VendDb *db, int64_t id, VendCollection **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_COLLECTION_BY_ID, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, id);
  return one_collection (stmt, out, error);
}

bool
vend_store_collection_page (VendDb *db, int64_t after_us, int64_t after_id, VendPage *page,
                            GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_COLLECTION_PAGE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, after_us);
  vend_stmt_int (stmt, 2, after_id);
  vend_stmt_int (stmt, 3, (int64_t) page->limit + 1);
  return vend_stmt_page (stmt, read_collection, (GDestroyNotify) vend_collection_free, page, out,
                         error);
}

static bool
run_with_id (VendDb *db, VendSql sql, int64_t id, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, id);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_collection_delete (VendDb *db, int64_t id, GError **error)
{
  return run_with_id (db, VEND_SQL_COLLECTION_CLEAR_MODELS, id, error)
         && run_with_id (db, VEND_SQL_COLLECTION_DELETE, id, error);
}

bool
vend_store_collection_models (VendDb *db, int64_t id, GArray **out, GError **error)
{
  g_autoptr (GArray) models = g_array_new (FALSE, FALSE, sizeof (int64_t));
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_COLLECTION_MODELS, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, id);
  for (;;)
    {
      bool row = false;
      if (!vend_stmt_step (stmt, &row, error))
        return false;
      if (!row)
        break;
      int64_t model = vend_stmt_get_int (stmt, 0);
      g_array_append_val (models, model);
    }
  *out = g_steal_pointer (&models);
  return true;
}

bool
vend_store_collection_set_models (VendDb *db, int64_t id, const GArray *models, GError **error)
{
  if (!run_with_id (db, VEND_SQL_COLLECTION_CLEAR_MODELS, id, error))
    return false;
  for (guint i = 0; i < models->len; i++)
    {
      VendStmt *stmt = vend_db_stmt (db, VEND_SQL_COLLECTION_ADD_MODEL, error);
      if (stmt == NULL)
        return false;
      vend_stmt_int (stmt, 1, id);
      vend_stmt_int (stmt, 2, i);
      vend_stmt_int (stmt, 3, g_array_index (models, int64_t, i));
      if (!vend_stmt_run (stmt, NULL, error))
        return false;
    }
  return true;
}

bool
vend_store_collection_forget_model (VendDb *db, int64_t model_id, GError **error)
{
  return run_with_id (db, VEND_SQL_COLLECTION_FORGET_MODEL, model_id, error);
}
