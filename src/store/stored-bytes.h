/* What the files of an account take. Inside a transaction. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

bool vend_store_stored_bytes (VendDb *db, int64_t account_id, int64_t *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* TOO_LARGE when files of `more` bytes would pass `most`, or when it is reached already; says how
 * to get room. 0 as `most` is no limit, and costs nothing. In the transaction that adds the files
 * it is exact. */
bool vend_store_stored_allow (VendDb *db, int64_t account_id, int64_t more, uint64_t most,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
