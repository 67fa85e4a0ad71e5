/* Store functions of billing statements. Inside a transaction. */
#pragma once
#include "model/statement.h"
#include "store/db.h"

/* Adds the usage of an account from `from_us` (included) to `to_us` (not included): runs that ended
 * in that time, and the part of instances' time within it. Reads every row of that time. TOO_LARGE
 * when there are too many kinds of sums. */
bool vend_store_statement_add (VendDb *db, int64_t account_id, int64_t from_us, int64_t to_us,
                               VendStatement *statement, GError **error) G_GNUC_WARN_UNUSED_RESULT;
