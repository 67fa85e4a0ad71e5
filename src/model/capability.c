/* Capabilities: 24 bytes of HMAC-SHA256 (purpose, NUL, text) in base64url. The key is set once
 * before any thread starts, so that plain values can make their URLs without a context. */
#include "model/capability.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

#define MAC_BYTES 24 /* four characters for three bytes, without padding */
#define HASH_BYTES 32

/* Initialized with the key, which is half of the work; read-only afterwards. */
static EVP_MAC_CTX *keyed;

void
vend_capability_set_key (const guint8 key[VEND_CAPABILITY_KEY_BYTES])
{
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[]
      = { OSSL_PARAM_construct_utf8_string (OSSL_MAC_PARAM_DIGEST, digest, 0),
          OSSL_PARAM_construct_end () };
  EVP_MAC *hmac = EVP_MAC_fetch (NULL, "HMAC", NULL);
  EVP_MAC_CTX_free (keyed);
  keyed = EVP_MAC_CTX_new (hmac);
  if (keyed == NULL || EVP_MAC_init (keyed, key, VEND_CAPABILITY_KEY_BYTES, parameters) != 1)
    g_error ("HMAC-SHA256 is not available");
  EVP_MAC_free (hmac);
}

char *
vend_capability_new (const char *purpose, const char *text)
{
  guint8 mac[HASH_BYTES];
  size_t size = 0;
  if (keyed == NULL)
    return NULL;
  EVP_MAC_CTX *context = EVP_MAC_CTX_dup (keyed);
  if (context == NULL
      || EVP_MAC_update (context, (const guchar *) purpose, strlen (purpose) + 1) != 1
      || EVP_MAC_update (context, (const guchar *) text, strlen (text)) != 1
      || EVP_MAC_final (context, mac, &size, sizeof mac) != 1)
    g_error ("HMAC-SHA256 failed");
  EVP_MAC_CTX_free (context);
  char *made = g_base64_encode (mac, MAC_BYTES);
  g_strdelimit (made, "+", '-');
  return g_strdelimit (made, "/", '_');
}

bool
vend_capability_fits (const char *purpose, const char *text, const char *given)
{
  g_autofree char *right = vend_capability_new (purpose, text);
  guint8 difference = 0;
  if (right == NULL || strlen (given) != VEND_CAPABILITY_LENGTH)
    return false;
  for (gsize i = 0; i < VEND_CAPABILITY_LENGTH; i++)
    difference |= (guint8) (right[i] ^ given[i]);
  return difference == 0;
}
