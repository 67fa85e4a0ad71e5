/* SHA-256 as lower-case hex, and HMAC with it. */
#include "base/hash.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
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

char *
vend_hex (const guint8 *bytes, gsize size)
{
  GString *text = g_string_sized_new (2 * size);
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (text, "%02x", bytes[i]);
  return g_string_free (text, FALSE);
}

static bool
digest (int fd, EVP_MD_CTX *context, const char *path, GError **error)
{
  static const gsize chunk_size = 256 * 1024;
  g_autofree guchar *chunk = g_malloc (chunk_size);
  for (;;)
    {
      ssize_t n = read (fd, chunk, chunk_size);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read '%s'", path);
      if (n == 0)
        return true;
      EVP_DigestUpdate (context, chunk, (size_t) n);
    }
}

bool
vend_sha256_file (const char *path, char **out, GError **error)
{
  guchar bytes[EVP_MAX_MD_SIZE];
  guint size = 0;
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  EVP_DigestInit_ex (context, EVP_sha256 (), NULL);
  bool good = digest (fd, context, path, error);
  if (good)
    {
      EVP_DigestFinal_ex (context, bytes, &size);
      *out = vend_hex (bytes, size);
    }
  EVP_MD_CTX_free (context);
  return good;
}

void
vend_hmac_sha256 (const void *key, gsize key_size, const char *head, const void *data, gsize size,
                  guint8 out[VEND_HMAC_SIZE])
{
  EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key (EVP_PKEY_HMAC, NULL, key, key_size);
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  size_t written = VEND_HMAC_SIZE;
  bool good = pkey != NULL && EVP_DigestSignInit (context, NULL, EVP_sha256 (), NULL, pkey) == 1
              && EVP_DigestSignUpdate (context, head, strlen (head)) == 1
              && EVP_DigestSignUpdate (context, data, size) == 1
              && EVP_DigestSignFinal (context, out, &written) == 1;
  g_assert (good && written == VEND_HMAC_SIZE);
  EVP_MD_CTX_free (context);
  EVP_PKEY_free (pkey);
}
