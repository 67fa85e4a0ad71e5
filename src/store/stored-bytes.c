/* Bytes stored by an account's files; triggers keep the rows up to date. */
#include "store/stored-bytes.h"
#include "base/error.h"

bool
vend_store_stored_bytes (VendDb *db, int64_t account_id, int64_t *out, GError **error)
{
  bool row = false;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_STORED_BYTES, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  if (!vend_stmt_step (stmt, &row, error))
    return false;
  *out = row ? vend_stmt_get_int (stmt, 0) : 0;
  return true;
}

bool
vend_store_stored_allow (VendDb *db, int64_t account_id, int64_t more, uint64_t most,
                         GError **error)
{
  int64_t stored = 0;
  if (most == 0)
    return true;
  if (!vend_store_stored_bytes (db, account_id, &stored, error))
    return false;
  const uint64_t left = (uint64_t) stored < most ? most - (uint64_t) stored : 0;
  if (left > 0 && (uint64_t) more <= left)
    return true;
  return vend_fail (
      error, VEND_ERROR_TOO_LARGE,
      "the files of this account take %" G_GINT64_FORMAT
      " bytes, and the limit is %" G_GUINT64_FORMAT
      " (account-max-stored); delete uploaded files, images or trained versions, or wait until "
      "the files of ended predictions are removed",
      stored, most);
}
