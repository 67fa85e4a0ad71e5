/* Creates with the idempotency key of an earlier one. */
#include "api/idempotency.h"
#include "base/error.h"
#include "store/idempotency-keys.h"
#include <string.h>

bool
vend_api_idempotency_key (VendCall *call, const VendCaller *caller, VendIdempotencyKey **out,
                          GError **error)
{
  gsize size = 0;
  const char *body = vend_call_body (call, &size);
  return vend_idempotency_key_read (vend_call_header (call, "Idempotency-Key"),
                                    vend_call_header (call, "X-Stainless-Retry-Count"),
                                    caller->token_id, vend_call_path (call), body, size, out,
                                    error);
}

bool
vend_api_find_idempotent (VendDb *db, int64_t account_id, const VendIdempotencyKey *key,
                          int64_t now_us, char **out_prediction, GError **error)
{
  g_autofree char *prediction = NULL, *digest = NULL;
  *out_prediction = NULL;
  if (key->renews)
    return true;
  if (!vend_store_idempotency_get (db, account_id, key->text,
                                   now_us - vend_idempotency_key_life_us (key), &prediction,
                                   &digest, error))
    return false;
  if (prediction != NULL && strcmp (digest, key->digest) != 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "Idempotency-Key: this key was used with another request; send a new key");
  *out_prediction = g_steal_pointer (&prediction);
  return true;
}
