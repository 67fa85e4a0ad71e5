/* Store functions that sum up usage. Inside a transaction; outputs are the caller's. */
#pragma once
#include "model/usage.h"
#include "store/db.h"

typedef struct
{
  int64_t account_id;
  int64_t from_us;
  int64_t to_us; /* not included */
  VendUsageGroup group;
  int limit; /* most rows of the result */
} VendUsageQuery;

/* Of VendUsage: by model the largest first, by day the oldest first. Reads every row between
 * from_us and to_us. */
bool vend_store_usage_sum (VendDb *db, const VendUsageQuery *query, GPtrArray **out,
                           GError **error);
/* Usage of one prediction that ended at that moment; `*out` is NULL when it was not metered. */
bool vend_store_usage_of (VendDb *db, int64_t account_id, int64_t ended_us, const char *prediction,
                          VendUsage **out, GError **error);
