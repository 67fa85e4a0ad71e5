/* Manifest first, then the files in its order; no time and no name of this machine. */
#include "build/bundle-write.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_SIZE ((gsize) 256 * 1024)
#define OPTIONS "zstd:compression-level=3,pax:hdrcharset=BINARY"

typedef struct archive Archive;
typedef struct archive_entry ArchiveEntry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Archive, archive_write_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ArchiveEntry, archive_entry_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)

typedef struct
{
  Archive *archive; /* borrowed */
  int fd;
  GError *error; /* the first one of `fd` */
} Writing;

/* Never fails in the eyes of libarchive, which would then not free its compressor. */
static la_ssize_t
write_out (struct archive *archive, void *data, const void *bytes, size_t size)
{
  Writing *writing = data;
  if (writing->error == NULL && !vend_fd_write_all (writing->fd, bytes, size, &writing->error))
    g_prefix_error (&writing->error, "write the archive: ");
  return (la_ssize_t) size;
}

static bool
fail (Writing *writing, const char *path, GError **error)
{
  const char *text = archive_error_string (writing->archive);
  if (writing->error == NULL)
    return vend_fail (error, VEND_ERROR_STORAGE, "pack '%s': %s", path,
                      text != NULL ? text : "unknown error");
  g_propagate_error (error, g_steal_pointer (&writing->error));
  return false;
}

static bool
write_header (Writing *writing, const VendBundleEntry *entry, GError **error)
{
  g_autoptr (ArchiveEntry) header = archive_entry_new ();
  archive_entry_set_pathname (header, entry->path);
  archive_entry_set_filetype (header, entry->is_dir ? AE_IFDIR : AE_IFREG);
  archive_entry_set_perm (header, entry->is_dir || entry->is_executable ? 0755 : 0644);
  archive_entry_set_size (header, (la_int64_t) entry->size);
  archive_entry_set_mtime (header, 0, 0);
  archive_entry_set_uid (header, 0);
  archive_entry_set_gid (header, 0);
  /* A warning would mean that a name was changed on its way. */
  return (archive_write_header (writing->archive, header) == ARCHIVE_OK && writing->error == NULL)
         || fail (writing, entry->path, error);
}

static bool
write_bytes (Writing *writing, const char *path, const void *bytes, gsize size, GError **error)
{
  return (archive_write_data (writing->archive, bytes, size) == (la_ssize_t) size
          && writing->error == NULL)
         || fail (writing, path, error);
}

static bool
changed (const VendBundleEntry *entry, GError **error)
{
  return vend_fail (error, VEND_ERROR_CONFLICT, "'%s' changed while it was packed", entry->path);
}

static bool
matches (EVP_MD_CTX *hash, const char *sha256)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  guint size = 0;
  EVP_DigestFinal_ex (hash, digest, &size);
  g_autofree char *text = vend_hex (digest, size);
  return strcmp (text, sha256) == 0;
}

static bool
write_file (Writing *writing, const VendBundleEntry *entry, char *block, GError **error)
{
  g_autoptr (EVP_MD_CTX) hash = EVP_MD_CTX_new ();
  uint64_t done = 0;
  vend_autofd fd = open (entry->from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", entry->path);
  EVP_DigestInit_ex (hash, EVP_sha256 (), NULL);
  for (;;)
    {
      const ssize_t n = read (fd, block, BLOCK_SIZE);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read '%s'", entry->path);
      if (n == 0)
        break;
      if ((uint64_t) n > entry->size - done)
        return changed (entry, error);
      done += (uint64_t) n;
      EVP_DigestUpdate (hash, block, (size_t) n);
      if (!write_bytes (writing, entry->path, block, (gsize) n, error))
        return false;
    }
  return (done == entry->size && matches (hash, entry->sha256)) || changed (entry, error);
}

static bool
write_manifest (Writing *writing, json_t *document, const GPtrArray *entries, GError **error)
{
  json_t *files = json_array ();
  for (guint i = 0; i < entries->len; i++)
    json_array_append_new (files, vend_bundle_entry_to_json (g_ptr_array_index (entries, i)));
  json_object_set_new (document, "files", files);
  g_autofree char *text = vend_json_text (document);
  const gsize size = strlen (text);
  const VendBundleEntry entry = { .path = (char *) VEND_BUNDLE_MANIFEST, .size = size };
  return write_header (writing, &entry, error)
         && write_bytes (writing, entry.path, text, size, error);
}

static bool
write_all (Writing *writing, json_t *document, const GPtrArray *entries, GError **error)
{
  g_autofree char *block = g_malloc (BLOCK_SIZE);
  if (!write_manifest (writing, document, entries, error))
    return false;
  for (guint i = 0; i < entries->len; i++)
    {
      const VendBundleEntry *entry = g_ptr_array_index (entries, i);
      if (!write_header (writing, entry, error)
          || (!entry->is_dir && !write_file (writing, entry, block, error)))
        return false;
    }
  return true;
}

bool
vend_bundle_write (const char *path, json_t *document, const GPtrArray *entries, GError **error)
{
  g_autoptr (Archive) archive = archive_write_new ();
  vend_autofd fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  Writing writing = { archive, fd, NULL };
  bool good = archive_write_set_format_pax_restricted (archive) == ARCHIVE_OK
              && archive_write_add_filter_zstd (archive) == ARCHIVE_OK
              && archive_write_set_options (archive, OPTIONS) == ARCHIVE_OK
              && archive_write_set_bytes_in_last_block (archive, 1) == ARCHIVE_OK
              && archive_write_open (archive, &writing, NULL, write_out, NULL) == ARCHIVE_OK;
  if (!good)
    good = fail (&writing, path, error);
  else
    good = write_all (&writing, document, entries, error)
           && ((archive_write_close (archive) == ARCHIVE_OK && writing.error == NULL)
               || fail (&writing, path, error));
  g_clear_pointer (&archive, archive_write_free); /* it may write still */
  g_clear_error (&writing.error);
  if (good && fsync (fd) < 0)
    good = vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync '%s'", path);
  return good;
}
