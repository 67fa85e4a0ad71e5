/* Idempotency keys of creates: the caller's own, and those of generated clients that send a create
 * again. HTTP threads, and the core thread where said. */
#pragma once
#include "api/api-private.h"
#include "model/idempotency-key.h"

/* The key of this create, or NULL. */
bool vend_api_idempotency_key (VendCall *call, const VendCaller *caller, VendIdempotencyKey **out,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The id of the prediction that a create with this key made, or NULL; INVALID when that create was
 * another request. Also for the core thread: one row by its key. Free with g_free. */
bool vend_api_find_idempotent (VendDb *db, int64_t account_id, const VendIdempotencyKey *key,
                               int64_t now_us, char **out_prediction, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
