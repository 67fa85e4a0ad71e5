/* Capabilities: 24 bytes of HMAC-SHA256 (purpose, NUL, text) in base64url. The key is written once
 * before there are threads, so that plain values can make their URLs without a context. */
#include "model/capability.h"
#include <string.h>

#define MAC_BYTES 24 /* four characters for three bytes, without padding */

static guint8 installation_key[VEND_CAPABILITY_KEY_BYTES];
static bool has_key;

void
vend_capability_set_key (const guint8 key[VEND_CAPABILITY_KEY_BYTES])
{
  memcpy (installation_key, key, sizeof installation_key);
  has_key = true;
}

char *
vend_capability_new (const char *purpose, const char *text)
{
  guint8 digest[32];
  gsize size = sizeof digest;
  if (!has_key)
    return NULL;
  g_autoptr (GHmac) hmac
      = g_hmac_new (G_CHECKSUM_SHA256, installation_key, sizeof installation_key);
  g_hmac_update (hmac, (const guchar *) purpose, (gssize) strlen (purpose) + 1);
  g_hmac_update (hmac, (const guchar *) text, (gssize) strlen (text));
  g_hmac_get_digest (hmac, digest, &size);
  char *made = g_base64_encode (digest, MAC_BYTES);
  g_strdelimit (made, "+", '-');
  g_strdelimit (made, "/", '_');
  return made;
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
