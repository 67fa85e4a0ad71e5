/* Store functions of what accounts owe. Inside a transaction. */
#pragma once
#include "model/statement.h"
#include "store/db.h"

/* Adds what an account used from `from_us` (included) to `to_us` (not included): runs that ended in
 * that time, and what lies in it of the time of instances. Reads every row of that time. TOO_LARGE
 * when there are more kinds of sums than anybody reads. */
bool vend_store_statement_add (VendDb *db, int64_t account_id, int64_t from_us, int64_t to_us,
                               VendStatement *statement, GError **error) G_GNUC_WARN_UNUSED_RESULT;
