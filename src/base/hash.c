/* SHA-256 as lower-case hex. */
#include "base/hash.h"
#include <string.h>

char *
vend_sha256_hex (const void *data, gsize size)
{
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, size);
}

char *
vend_sha256_text (const char *text)
{
  return vend_sha256_hex (text, strlen (text));
}

bool
vend_is_sha256_hex (const char *text)
{
  return strlen (text) == VEND_SHA256_HEX_LENGTH
         && strspn (text, "0123456789abcdef") == VEND_SHA256_HEX_LENGTH;
}
