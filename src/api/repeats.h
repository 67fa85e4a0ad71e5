/* Creates that were made before: Idempotency-Key, and what generated clients send again. HTTP
 * threads, and the core thread where said. */
#pragma once
#include "api/api-private.h"
#include "model/create-key.h"

/* The key of this create, or NULL. */
bool vend_api_create_key (VendCall *call, const VendCaller *caller, VendCreateKey **out,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The prediction that this key made, or NULL; INVALID when the request was another one. Also for
 * the core thread: one row by its key. Free with g_free. */
bool vend_api_find_repeated (VendDb *db, int64_t account_id, const VendCreateKey *key,
                             int64_t now_us, char **out_prediction, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
