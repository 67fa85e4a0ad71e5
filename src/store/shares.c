/* Store functions of shared predictions. */
#include "store/shares.h"

void
vend_share_free (VendShare *share)
{
  if (share == NULL)
    return;
  g_free (share->prediction);
  g_free (share->token);
  g_free (share);
}

bool
vend_store_share_insert (VendDb *db, const VendShare *share, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SHARE_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, VEND_ARG_SHARE_PREDICTION, share->prediction);
  vend_stmt_text (stmt, VEND_ARG_SHARE_TOKEN, share->token);
  vend_stmt_int (stmt, VEND_ARG_SHARE_CREATED_US, share->created_us);
  return vend_stmt_run (stmt, NULL, error);
}

static bool
one_share (VendDb *db, VendSql sql, const char *key, VendShare **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, key);
  if (!vend_stmt_one (stmt, "share", error))
    return false;
  VendShare *share = g_new0 (VendShare, 1);
  share->prediction = vend_stmt_dup_text (stmt, VEND_COL_SHARE_PREDICTION);
  share->token = vend_stmt_dup_text (stmt, VEND_COL_SHARE_TOKEN);
  share->created_us = vend_stmt_get_int (stmt, VEND_COL_SHARE_CREATED_US);
  *out = share;
  return true;
}

bool
vend_store_share_of (VendDb *db, const char *prediction, VendShare **out, GError **error)
{
  return one_share (db, VEND_SQL_SHARE_OF, prediction, out, error);
}

bool
vend_store_share_by_token (VendDb *db, const char *token, VendShare **out, GError **error)
{
  return one_share (db, VEND_SQL_SHARE_BY_TOKEN, token, out, error);
}

bool
vend_store_share_delete (VendDb *db, const char *prediction, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SHARE_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, prediction);
  return vend_stmt_run (stmt, NULL, error);
}
