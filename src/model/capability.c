/* Capabilities: 24 bytes of HMAC-SHA256 (purpose, NUL, text) in base64url. The key is put in once
 * before there are threads, so that plain values can make their URLs without a context.
 *
 * Every create makes one, so the hash of the padded key (RFC 2104) is kept half done. */
#include "model/capability.h"
#include <openssl/evp.h>
#include <string.h>

#define MAC_BYTES 24 /* four characters for three bytes, without padding */
#define HASH_BYTES 32
#define HASH_BLOCK_BYTES 64
#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

/* Read only once the key is set. */
static EVP_MD_CTX *inner;
static EVP_MD_CTX *outer;

static EVP_MD_CTX *
hash_of_padded (const guint8 *key, guint8 pad)
{
  guint8 block[HASH_BLOCK_BYTES];
  EVP_MD_CTX *hash = EVP_MD_CTX_new ();
  for (gsize i = 0; i < sizeof block; i++)
    block[i] = (i < VEND_CAPABILITY_KEY_BYTES ? key[i] : 0) ^ pad;
  if (hash == NULL || EVP_DigestInit_ex (hash, EVP_sha256 (), NULL) != 1
      || EVP_DigestUpdate (hash, block, sizeof block) != 1)
    g_error ("SHA-256 is not available");
  explicit_bzero (block, sizeof block);
  return hash;
}

void
vend_capability_set_key (const guint8 key[VEND_CAPABILITY_KEY_BYTES])
{
  EVP_MD_CTX_free (inner);
  EVP_MD_CTX_free (outer);
  inner = hash_of_padded (key, INNER_PAD);
  outer = hash_of_padded (key, OUTER_PAD);
}

char *
vend_capability_new (const char *purpose, const char *text)
{
  guint8 digest[HASH_BYTES];
  if (inner == NULL)
    return NULL;
  EVP_MD_CTX *hash = EVP_MD_CTX_new ();
  if (hash == NULL || EVP_MD_CTX_copy_ex (hash, inner) != 1
      || EVP_DigestUpdate (hash, purpose, strlen (purpose) + 1) != 1
      || EVP_DigestUpdate (hash, text, strlen (text)) != 1
      || EVP_DigestFinal_ex (hash, digest, NULL) != 1 || EVP_MD_CTX_copy_ex (hash, outer) != 1
      || EVP_DigestUpdate (hash, digest, sizeof digest) != 1
      || EVP_DigestFinal_ex (hash, digest, NULL) != 1)
    g_error ("SHA-256 failed");
  EVP_MD_CTX_free (hash);
  char *made = g_base64_encode (digest, MAC_BYTES);
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
