/* Store functions of accounts and tokens. */
#include "store/accounts.h"
#include "base/error.h"

static void *
read_account (VendStmt *stmt)
{
  VendAccount *account = g_new0 (VendAccount, 1);
  account->id = vend_stmt_get_int (stmt, VEND_COL_ACCOUNT_ID);
  account->username = vend_stmt_dup_text (stmt, VEND_COL_ACCOUNT_USERNAME);
  account->name = vend_stmt_dup_text (stmt, VEND_COL_ACCOUNT_NAME);
  account->type = vend_stmt_dup_text (stmt, VEND_COL_ACCOUNT_TYPE);
  account->created_us = vend_stmt_get_int (stmt, VEND_COL_ACCOUNT_CREATED_US);
  return account;
}

bool
vend_store_account_insert (VendDb *db, VendAccount *account, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_ACCOUNT_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, VEND_ARG_NEW_ACCOUNT_USERNAME, account->username);
  vend_stmt_text (stmt, VEND_ARG_NEW_ACCOUNT_NAME, account->name);
  vend_stmt_text (stmt, VEND_ARG_NEW_ACCOUNT_TYPE, account->type);
  vend_stmt_int (stmt, VEND_ARG_NEW_ACCOUNT_CREATED_US, account->created_us);
  if (!vend_stmt_one (stmt, "account", error))
    {
      g_prefix_error (error, "account '%s': ", account->username);
      return false;
    }
  account->id = vend_stmt_get_int (stmt, 0);
  return vend_stmt_run (stmt, NULL, error);
}

static bool
one_account (VendStmt *stmt, VendAccount **out, GError **error)
{
  if (!vend_stmt_one (stmt, "account", error))
    return false;
  *out = read_account (stmt);
  return true;
}

bool
vend_store_account_get (VendDb *db, int64_t id, VendAccount **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_ACCOUNT_BY_ID, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, id);
  return one_account (stmt, out, error);
}

bool
vend_store_account_by_username (VendDb *db, const char *username, VendAccount **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_ACCOUNT_BY_USERNAME, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, username);
  return one_account (stmt, out, error);
}

bool
vend_store_account_list (VendDb *db, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_ACCOUNT_LIST, error);
  return stmt != NULL
         && vend_stmt_collect (stmt, read_account, (GDestroyNotify) vend_account_free, out, error);
}

static void *
read_token (VendStmt *stmt)
{
  VendToken *token = g_new0 (VendToken, 1);
  token->id = vend_stmt_dup_text (stmt, VEND_COL_TOKEN_ID);
  token->account_id = vend_stmt_get_int (stmt, VEND_COL_TOKEN_ACCOUNT_ID);
  token->name = vend_stmt_dup_text (stmt, VEND_COL_TOKEN_NAME);
  token->hash = vend_stmt_dup_text (stmt, VEND_COL_TOKEN_HASH);
  token->prefix = vend_stmt_dup_text (stmt, VEND_COL_TOKEN_PREFIX);
  token->scopes = (guint) vend_stmt_get_int (stmt, VEND_COL_TOKEN_SCOPES);
  token->created_us = vend_stmt_get_int (stmt, VEND_COL_TOKEN_CREATED_US);
  token->last_used_us = vend_stmt_get_int (stmt, VEND_COL_TOKEN_LAST_USED_US);
  token->revoked_us = vend_stmt_get_int (stmt, VEND_COL_TOKEN_REVOKED_US);
  return token;
}

bool
vend_store_token_insert (VendDb *db, const VendToken *token, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_TOKEN_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, VEND_ARG_NEW_TOKEN_ID, token->id);
  vend_stmt_int (stmt, VEND_ARG_NEW_TOKEN_ACCOUNT_ID, token->account_id);
  vend_stmt_text (stmt, VEND_ARG_NEW_TOKEN_NAME, token->name);
  vend_stmt_text (stmt, VEND_ARG_NEW_TOKEN_HASH, token->hash);
  vend_stmt_text (stmt, VEND_ARG_NEW_TOKEN_PREFIX, token->prefix);
  vend_stmt_int (stmt, VEND_ARG_NEW_TOKEN_SCOPES, token->scopes);
  vend_stmt_int (stmt, VEND_ARG_NEW_TOKEN_CREATED_US, token->created_us);
  return vend_stmt_run (stmt, NULL, error);
}

static bool
one_token (VendDb *db, VendSql sql, const char *key, VendToken **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, key);
  if (!vend_stmt_one (stmt, "token", error))
    return false;
  *out = read_token (stmt);
  return true;
}

bool
vend_store_token_by_hash (VendDb *db, const char *hash, VendToken **out, GError **error)
{
  return one_token (db, VEND_SQL_TOKEN_BY_HASH, hash, out, error);
}

bool
vend_store_token_get (VendDb *db, const char *id, VendToken **out, GError **error)
{
  return one_token (db, VEND_SQL_TOKEN_GET, id, out, error);
}

bool
vend_store_token_list (VendDb *db, int64_t account_id, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_TOKEN_LIST, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  return vend_stmt_collect (stmt, read_token, (GDestroyNotify) vend_token_free, out, error);
}

bool
vend_store_token_revoke (VendDb *db, const char *id, int64_t now_us, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_TOKEN_REVOKE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  vend_stmt_int (stmt, 2, now_us);
  return vend_stmt_run_one (stmt, "token", error);
}

bool
vend_store_token_used (VendDb *db, const char *id, int64_t now_us, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_TOKEN_USED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  vend_stmt_int (stmt, 2, now_us);
  return vend_stmt_run (stmt, NULL, error);
}
