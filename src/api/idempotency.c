/* Creates with the idempotency key of an earlier one. */
#include "api/idempotency.h"
#include "base/error.h"
#include "base/hash.h"
#include "store/idempotency-keys.h"
#include <string.h>

/* The fields of a form, with the digests of its files. */
static char *
form_text (VendCall *call)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (gsize i = 0; i < vend_call_n_parts (call); i++)
    {
      const VendPart *part = vend_call_part_at (call, i);
      g_autofree char *digest
          = part->text != NULL ? vend_sha256_hex (part->text, part->text_size) : NULL;
      g_string_append_printf (text, "%s\n%s\n", part->name,
                              part->sha256 != NULL ? part->sha256 : digest);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

bool
vend_api_idempotency_key (VendCall *call, const VendCaller *caller, VendIdempotencyKey **out,
                          GError **error)
{
  gsize size = 0;
  g_autofree char *form = vend_call_n_parts (call) > 0 ? form_text (call) : NULL;
  const char *body = form != NULL ? form : vend_call_body (call, &size);
  size = form != NULL ? strlen (form) : size;
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
