/* Store functions of secrets. */
#include "store/secrets.h"
#include "base/error.h"
#include <string.h>

static void *
read_secret (VendStmt *stmt)
{
  VendSecret *secret = g_new0 (VendSecret, 1);
  secret->name = vend_stmt_dup_text (stmt, VEND_COL_SECRET_NAME);
  secret->sealed = vend_stmt_dup_text (stmt, VEND_COL_SECRET_SEALED);
  secret->size = vend_stmt_get_int (stmt, VEND_COL_SECRET_SIZE);
  secret->set_us = vend_stmt_get_int (stmt, VEND_COL_SECRET_SET_US);
  return secret;
}

bool
vend_store_secret_list (VendDb *db, VendSecretPlace place, int64_t id, GPtrArray **out,
                        GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SECRET_LIST, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, place);
  vend_stmt_int (stmt, 2, id);
  return vend_stmt_collect (stmt, read_secret, (GDestroyNotify) vend_secret_free, out, error);
}

static bool
check_room (VendDb *db, VendSecretPlace place, int64_t id, const VendSecret *secret, GError **error)
{
  g_autoptr (GPtrArray) others = NULL;
  int64_t size = secret->size;
  guint n = 1;
  if (!vend_store_secret_list (db, place, id, &others, error))
    return false;
  for (guint i = 0; i < others->len; i++)
    {
      const VendSecret *other = g_ptr_array_index (others, i);
      if (strcmp (other->name, secret->name) == 0)
        continue;
      size += other->size;
      n++;
    }
  if (n > VEND_SECRETS_MAX)
    return vend_fail (error, VEND_ERROR_INVALID, "name: there are %d secrets already; remove one",
                      VEND_SECRETS_MAX);
  return size <= VEND_SECRETS_BYTES
         || vend_fail (error, VEND_ERROR_INVALID,
                       "value: all secrets together have at most %d bytes; with this one they "
                       "would have %" G_GINT64_FORMAT,
                       VEND_SECRETS_BYTES, size);
}

bool
vend_store_secret_set (VendDb *db, VendSecretPlace place, int64_t id, const VendSecret *secret,
                       GError **error)
{
  if (!check_room (db, place, id, secret, error))
    return false;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SECRET_SET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, VEND_ARG_SECRET_NAME, secret->name);
  vend_stmt_text (stmt, VEND_ARG_SECRET_SEALED, secret->sealed);
  vend_stmt_int (stmt, VEND_ARG_SECRET_SIZE, secret->size);
  vend_stmt_int (stmt, VEND_ARG_SECRET_SET_US, secret->set_us);
  vend_stmt_int (stmt, VEND_ARG_SECRET_PLACE, place);
  vend_stmt_int (stmt, VEND_ARG_SECRET_OWNER_ID, id);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_secret_delete (VendDb *db, VendSecretPlace place, int64_t id, const char *name,
                          GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SECRET_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, place);
  vend_stmt_int (stmt, 2, id);
  vend_stmt_text (stmt, 3, name);
  return vend_stmt_run_one (stmt, "secret", error);
}

bool
vend_store_secret_each (VendDb *db, VendStoreSecretSeen seen, void *data, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SECRET_ALL, error);
  bool row = stmt != NULL;
  while (row)
    {
      if (!vend_stmt_step (stmt, &row, error))
        return false;
      if (!row)
        return true;
      g_autoptr (VendSecret) secret = read_secret (stmt);
      seen ((VendSecretPlace) vend_stmt_get_int (stmt, VEND_COL_SECRET_PLACE),
            vend_stmt_get_int (stmt, VEND_COL_SECRET_OWNER_ID), secret, data);
    }
  return false;
}
