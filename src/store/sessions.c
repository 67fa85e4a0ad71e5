/* Store functions of sessions. */
#include "store/sessions.h"

static VendSession *
read_session (VendStmt *stmt)
{
  VendSession *session = g_new0 (VendSession, 1);
  session->hash = vend_stmt_dup_text (stmt, VEND_COL_SESSION_HASH);
  session->token_id = vend_stmt_dup_text (stmt, VEND_COL_SESSION_TOKEN);
  session->is_link = vend_stmt_get_int (stmt, VEND_COL_SESSION_IS_LINK) != 0;
  session->created_us = vend_stmt_get_int (stmt, VEND_COL_SESSION_CREATED_US);
  session->expires_us = vend_stmt_get_int (stmt, VEND_COL_SESSION_EXPIRES_US);
  return session;
}

bool
vend_store_session_insert (VendDb *db, const VendSession *session, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SESSION_DELETE_ENDED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, session->created_us);
  if (!vend_stmt_run (stmt, NULL, error))
    return false;
  stmt = vend_db_stmt (db, VEND_SQL_SESSION_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, VEND_ARG_SESSION_HASH, session->hash);
  vend_stmt_text (stmt, VEND_ARG_SESSION_TOKEN, session->token_id);
  vend_stmt_int (stmt, VEND_ARG_SESSION_IS_LINK, session->is_link);
  vend_stmt_int (stmt, VEND_ARG_SESSION_CREATED_US, session->created_us);
  vend_stmt_int (stmt, VEND_ARG_SESSION_EXPIRES_US, session->expires_us);
  return vend_stmt_run (stmt, NULL, error);
}

static bool
one_session (VendDb *db, VendSql sql, const char *hash, int64_t now_us, VendSession **out,
             GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, hash);
  vend_stmt_int (stmt, 2, now_us);
  if (!vend_stmt_one (stmt, "session", error))
    return false;
  *out = read_session (stmt);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_session_get (VendDb *db, const char *hash, int64_t now_us, VendSession **out,
                        GError **error)
{
  return one_session (db, VEND_SQL_SESSION_GET, hash, now_us, out, error);
}

bool
vend_store_session_take_link (VendDb *db, const char *hash, int64_t now_us, VendSession **out,
                              GError **error)
{
  return one_session (db, VEND_SQL_SESSION_TAKE_LINK, hash, now_us, out, error);
}

static bool
delete_by (VendDb *db, VendSql sql, const char *text, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, text);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_session_delete (VendDb *db, const char *hash, GError **error)
{
  return delete_by (db, VEND_SQL_SESSION_DELETE, hash, error);
}

bool
vend_store_session_delete_of_token (VendDb *db, const char *token_id, GError **error)
{
  return delete_by (db, VEND_SQL_SESSION_DELETE_OF_TOKEN, token_id, error);
}
