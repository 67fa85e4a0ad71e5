/* The bytes that the files of an account take: uploads, inputs, outputs, and weights of versions.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

bool vend_store_stored_bytes (VendDb *db, int64_t account_id, int64_t *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* TOO_LARGE when files of `more` bytes would pass `most`, or when the limit is reached already; the
 * text tells how to get room. 0 as `most` is no limit, and costs nothing. The check is exact in the
 * transaction that adds the files. */
bool vend_store_stored_allow (VendDb *db, int64_t account_id, int64_t more, uint64_t most,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
