/* Idempotency keys of creates. */
#pragma once
#include "model/idempotency-key.h"
#include "store/db.h"

/* In the transaction of the prediction's insert. EXISTS when the key is taken. */
bool vend_store_idempotency_take (VendDb *db, int64_t account_id, const VendIdempotencyKey *key,
                                  const char *prediction, int64_t now_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The prediction that took the key since `since_us`; `*out_prediction` is NULL when the key is
 * free. Free both with g_free. */
bool vend_store_idempotency_get (VendDb *db, int64_t account_id, const char *key, int64_t since_us,
                                 char **out_prediction, char **out_digest, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Removes at most `limit` keys from before `before_us`. */
bool vend_store_idempotency_expire (VendDb *db, int64_t before_us, guint limit, guint *out_removed,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
