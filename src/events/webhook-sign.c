/* Signatures of webhooks, by Standard Webhooks. Pure. */
#include "events/webhook-sign.h"
#include "base/error.h"
#include "base/hash.h"
#include <openssl/crypto.h>
#include <string.h>

#define SECRET_PREFIX "whsec_"
#define MAX_SIGNATURES 16

bool
vend_webhook_sign (const char *secret, const char *id, int64_t timestamp_s, const char *body,
                   gsize size, char **out, GError **error)
{
  gsize key_size = 0;
  guint8 mac[VEND_HMAC_SIZE];
  if (!g_str_has_prefix (secret, SECRET_PREFIX))
    return vend_fail (error, VEND_ERROR_INVALID, "the signing key does not start with whsec_");
  g_autofree guchar *key = g_base64_decode (secret + strlen (SECRET_PREFIX), &key_size);
  if (key_size == 0)
    return vend_fail (error, VEND_ERROR_INVALID, "the signing key is empty");

  g_autofree char *head = g_strdup_printf ("%s.%" G_GINT64_FORMAT ".", id, timestamp_s);
  vend_hmac_sha256 (key, key_size, head, body, size, mac);
  OPENSSL_cleanse (key, key_size);
  g_autofree char *text = g_base64_encode (mac, sizeof mac);
  *out = g_strconcat ("v1,", text, NULL);
  return true;
}

bool
vend_webhook_verify (const char *secret, const char *id, int64_t timestamp_s, const char *body,
                     gsize size, const char *signatures)
{
  g_autofree char *expected = NULL;
  g_auto (GStrv) given = g_strsplit (signatures, " ", MAX_SIGNATURES);
  if (!vend_webhook_sign (secret, id, timestamp_s, body, size, &expected, NULL))
    return false;
  for (char **one = given; *one != NULL; one++)
    if (strlen (*one) == strlen (expected)
        && CRYPTO_memcmp (*one, expected, strlen (expected)) == 0)
      return true;
  return false;
}
