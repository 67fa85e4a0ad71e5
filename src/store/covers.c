/* Store functions of covers. */
#include "store/covers.h"
#include "store/stored-bytes.h"

static VendStmt *
find (VendDb *db, const char *token, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_COVER_GET, error);
  if (stmt != NULL)
    vend_stmt_text (stmt, 1, token);
  return stmt;
}

static bool
insert (VendDb *db, const VendCover *cover, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_COVER_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, VEND_ARG_COVER_MODEL_ID, cover->model_id);
  vend_stmt_int (stmt, VEND_ARG_COVER_ACCOUNT_ID, cover->account_id);
  vend_stmt_text (stmt, VEND_ARG_COVER_TOKEN, cover->token);
  vend_stmt_text (stmt, VEND_ARG_COVER_NAME, cover->name);
  vend_stmt_text (stmt, VEND_ARG_COVER_CONTENT_TYPE, cover->content_type);
  vend_stmt_int (stmt, VEND_ARG_COVER_SIZE, cover->size);
  vend_stmt_text (stmt, VEND_ARG_COVER_SHA256, cover->sha256);
  vend_stmt_int (stmt, VEND_ARG_COVER_CREATED_US, cover->created_us);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_cover_put (VendDb *db, const VendCover *cover, uint64_t max_stored, GError **error)
{
  bool is_there = false;
  VendStmt *stmt = find (db, cover->token, error);
  if (stmt == NULL || !vend_stmt_step (stmt, &is_there, error))
    return false;
  return is_there
         || (vend_store_cover_delete (db, cover->model_id, error)
             && vend_store_stored_allow (db, cover->account_id, cover->size, max_stored, error)
             && insert (db, cover, error));
}

bool
vend_store_cover_get (VendDb *db, const char *token, VendCover **out, GError **error)
{
  VendStmt *stmt = find (db, token, error);
  if (stmt == NULL || !vend_stmt_one (stmt, "cover", error))
    return false;
  VendCover *cover = g_new0 (VendCover, 1);
  cover->model_id = vend_stmt_get_int (stmt, VEND_COL_COVER_MODEL_ID);
  cover->account_id = vend_stmt_get_int (stmt, VEND_COL_COVER_ACCOUNT_ID);
  cover->token = vend_stmt_dup_text (stmt, VEND_COL_COVER_TOKEN);
  cover->name = vend_stmt_dup_text (stmt, VEND_COL_COVER_NAME);
  cover->content_type = vend_stmt_dup_text (stmt, VEND_COL_COVER_CONTENT_TYPE);
  cover->size = vend_stmt_get_int (stmt, VEND_COL_COVER_SIZE);
  cover->sha256 = vend_stmt_dup_text (stmt, VEND_COL_COVER_SHA256);
  cover->created_us = vend_stmt_get_int (stmt, VEND_COL_COVER_CREATED_US);
  *out = cover;
  return true;
}

bool
vend_store_cover_delete (VendDb *db, int64_t model_id, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_COVER_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  return vend_stmt_run (stmt, NULL, error);
}
