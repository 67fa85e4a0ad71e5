/* What all depots share. */
#include "files/depot.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <openssl/evp.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)

typedef struct
{
  int fd;
  EVP_MD_CTX *hash;
  GError **error;
} Writing;

static bool
write_piece (const void *bytes, gsize size, void *data)
{
  const Writing *writing = data;
  EVP_DigestUpdate (writing->hash, bytes, size);
  return vend_fd_write_all (writing->fd, bytes, size, writing->error);
}

bool
vend_depot_fetch (VendDepot *depot, const char *sha256, int fd, GError **error)
{
  guint8 bytes[EVP_MAX_MD_SIZE];
  guint size = 0;
  g_autoptr (EVP_MD_CTX) hash = EVP_MD_CTX_new ();
  Writing writing = { fd, hash, error };
  EVP_DigestInit_ex (hash, EVP_sha256 (), NULL);
  if (!depot->ops->read (depot, sha256, 0, UINT64_MAX, write_piece, &writing, error))
    return false;
  EVP_DigestFinal_ex (hash, bytes, &size);
  g_autofree char *actual = vend_hex (bytes, size);
  return strcmp (actual, sha256) == 0
         || vend_fail (error, VEND_ERROR_STORAGE, "the stored bytes of %s are those of %s", sha256,
                       actual);
}
