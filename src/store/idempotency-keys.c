/* Store functions of idempotency keys. */
#include "store/idempotency-keys.h"
#include "base/error.h"

bool
vend_store_idempotency_take (VendDb *db, int64_t account_id, const VendIdempotencyKey *key,
                             const char *prediction, int64_t now_us, GError **error)
{
  int64_t changes = 0;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_IDEMPOTENCY_TAKE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_text (stmt, 2, key->text);
  vend_stmt_text (stmt, 3, key->digest);
  vend_stmt_text (stmt, 4, prediction);
  vend_stmt_int (stmt, 5, now_us);
  vend_stmt_int (stmt, 6, key->renews ? G_MAXINT64 : now_us - vend_idempotency_key_life_us (key));
  return vend_stmt_run (stmt, &changes, error)
         && (changes == 1
             || vend_fail (error, VEND_ERROR_EXISTS,
                           "Idempotency-Key: another request has it at this moment"));
}

bool
vend_store_idempotency_get (VendDb *db, int64_t account_id, const char *key, int64_t since_us,
                            char **out_prediction, char **out_digest, GError **error)
{
  bool found = false;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_IDEMPOTENCY_GET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_text (stmt, 2, key);
  vend_stmt_int (stmt, 3, since_us);
  if (!vend_stmt_step (stmt, &found, error))
    return false;
  *out_digest = found ? vend_stmt_dup_text (stmt, 0) : NULL;
  *out_prediction = found ? vend_stmt_dup_text (stmt, 1) : NULL;
  return true;
}

bool
vend_store_idempotency_expire (VendDb *db, int64_t before_us, guint limit, guint *out_removed,
                               GError **error)
{
  int64_t changes = 0;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_IDEMPOTENCY_EXPIRE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, before_us);
  vend_stmt_int (stmt, 2, limit);
  if (!vend_stmt_run (stmt, &changes, error))
    return false;
  *out_removed = (guint) changes;
  return true;
}
