/* The key that secrets are stored under. Sealed text is base64 of nonce, ciphertext and tag. */
#include "secrets/vault.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/id.h"
#include <openssl/evp.h>
#include <string.h>

#define KEY_BYTES 32
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define MAX_FILE 256

struct VendVault
{
  guint8 key[KEY_BYTES];
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

void
vend_secret_text_free (char *text)
{
  if (text != NULL)
    explicit_bzero (text, strlen (text));
  g_free (text);
}

void
vend_vault_free (VendVault *vault)
{
  if (vault == NULL)
    return;
  explicit_bzero (vault, sizeof *vault);
  g_free (vault);
}

/* ---- The file */

static bool
parse (const char *path, const char *text, gsize size, guint8 *key, GError **error)
{
  bool good = size >= (gsize) 2 * KEY_BYTES;
  for (gsize i = 0; i < (gsize) 2 * KEY_BYTES && good; i++)
    {
      const int digit = g_ascii_xdigit_value (text[i]);
      key[i / 2] = (guint8) (key[i / 2] << 4 | (digit & 0xf));
      good = digit >= 0;
    }
  return good
         || vend_fail (
             error, VEND_ERROR_INVALID,
             "'%s': expected %d hex digits; put the file back from a copy: without it the "
             "secrets of models must be set again",
             path, 2 * KEY_BYTES);
}

static bool
make_file (const char *data_dir, const char *path, guint8 *key, GError **error)
{
  vend_random_bytes (key, KEY_BYTES);
  g_autofree char *hex = vend_hex (key, KEY_BYTES);
  g_autofree char *text = g_strconcat (hex, "\n", NULL);
  const bool good = vend_file_replace (path, text, strlen (text), 0600, error)
                    && vend_dir_sync (data_dir, error);
  explicit_bzero (hex, strlen (hex));
  explicit_bzero (text, strlen (text));
  return good;
}

bool
vend_vault_open (const char *data_dir, bool make, VendVault **out, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, VEND_VAULT_FILE, NULL);
  g_autoptr (VendVault) vault = g_new0 (VendVault, 1);
  char *text = NULL;
  gsize size = 0;
  g_autoptr (GError) problem = NULL;
  bool good = vend_file_read (path, MAX_FILE, &text, &size, &problem);
  if (good)
    good = parse (path, text, size, vault->key, error);
  else if (make && !g_file_test (path, G_FILE_TEST_EXISTS))
    good = make_file (data_dir, path, vault->key, error);
  else
    g_propagate_error (error, g_steal_pointer (&problem));
  vend_secret_text_free (text);
  if (good)
    *out = g_steal_pointer (&vault);
  return good;
}

/* ---- Seals */

char *
vend_vault_seal (const VendVault *vault, const char *context, const char *text)
{
  g_autoptr (EVP_CIPHER_CTX) cipher = EVP_CIPHER_CTX_new ();
  const gsize size = strlen (text);
  g_autofree guint8 *whole = g_malloc (NONCE_BYTES + size + TAG_BYTES);
  int n = 0, rest = 0;
  g_assert (size < G_MAXINT32);
  vend_random_bytes (whole, NONCE_BYTES);
  const bool good
      = cipher != NULL
        && EVP_EncryptInit_ex (cipher, EVP_aes_256_gcm (), NULL, vault->key, whole) == 1
        && EVP_EncryptUpdate (cipher, NULL, &n, (const guint8 *) context, (int) strlen (context))
               == 1
        && EVP_EncryptUpdate (cipher, whole + NONCE_BYTES, &n, (const guint8 *) text, (int) size)
               == 1
        && EVP_EncryptFinal_ex (cipher, whole + NONCE_BYTES + n, &rest) == 1
        && EVP_CIPHER_CTX_ctrl (cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, whole + NONCE_BYTES + size)
               == 1;
  /* Only a lack of memory is a reason. */
  g_assert (good && (gsize) (n + rest) == size);
  return g_base64_encode (whole, NONCE_BYTES + size + TAG_BYTES);
}

static bool
open_seal (const VendVault *vault, const char *context, guint8 *whole, gsize size, char *text)
{
  g_autoptr (EVP_CIPHER_CTX) cipher = EVP_CIPHER_CTX_new ();
  const gsize length = size - NONCE_BYTES - TAG_BYTES;
  int n = 0, rest = 0;
  return cipher != NULL
         && EVP_DecryptInit_ex (cipher, EVP_aes_256_gcm (), NULL, vault->key, whole) == 1
         && EVP_DecryptUpdate (cipher, NULL, &n, (const guint8 *) context, (int) strlen (context))
                == 1
         && EVP_DecryptUpdate (cipher, (guint8 *) text, &n, whole + NONCE_BYTES, (int) length) == 1
         && EVP_CIPHER_CTX_ctrl (cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES,
                                 whole + NONCE_BYTES + length)
                == 1
         && EVP_DecryptFinal_ex (cipher, (guint8 *) text + n, &rest) == 1;
}

bool
vend_vault_unseal (const VendVault *vault, const char *context, const char *sealed, char **out,
                   GError **error)
{
  gsize size = 0;
  g_autofree guint8 *whole = g_base64_decode (sealed, &size);
  const bool fits = size >= NONCE_BYTES + TAG_BYTES && size < G_MAXINT32;
  char *text = g_malloc0 (fits ? size : 1);
  if (!fits || !open_seal (vault, context, whole, size, text))
    {
      if (fits)
        explicit_bzero (text, size);
      g_free (text);
      return vend_fail (error, VEND_ERROR_STORAGE,
                        "it was stored under another key than that of '" VEND_VAULT_FILE
                        "', or was changed");
    }
  *out = text;
  return true;
}
