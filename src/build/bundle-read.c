/* Somebody else's archive of `vend export`. The manifest comes first, and nothing is taken that it
 * does not name: neither another path or kind nor one byte more. */
#include "build/bundle-read.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_SIZE ((gsize) 256 * 1024)

typedef struct archive Archive;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Archive, archive_read_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)

typedef struct
{
  Archive *archive; /* borrowed */
  const char *dir;  /* or NULL */
  char *block;
} Reading;

static const char *
reason_of (Archive *archive)
{
  const char *text = archive_error_string (archive);
  return text != NULL ? text : "it is damaged";
}

static bool
damaged (Archive *archive, const char *path, GError **error)
{
  return vend_fail (error, VEND_ERROR_INVALID, "the archive is damaged at '%s': %s", path,
                    reason_of (archive));
}

/* The next entry is `path`, and a plain file or folder. */
static bool
expect (Archive *archive, const char *path, bool is_dir, struct archive_entry **out, GError **error)
{
  const int status = archive_read_next_header (archive, out);
  if (status == ARCHIVE_EOF)
    return vend_fail (error, VEND_ERROR_INVALID, "the archive ends before '%s'", path);
  if (status != ARCHIVE_OK)
    return damaged (archive, path, error);
  const char *name = archive_entry_pathname (*out);
  const mode_t type = archive_entry_filetype (*out);
  g_autofree char *plain = g_strdup (name != NULL ? name : "");
  const gsize length = strlen (plain);
  if (is_dir && length > 0 && plain[length - 1] == '/')
    plain[length - 1] = '\0';
  if (strcmp (plain, path) != 0)
    {
      g_autofree char *shown = g_strescape (plain, NULL);
      return vend_fail (error, VEND_ERROR_INVALID,
                        "the archive has '%.200s' in the place of '%s', which its manifest names",
                        shown, path);
    }
  if (archive_entry_hardlink (*out) != NULL || type != (is_dir ? AE_IFDIR : AE_IFREG))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%s' is a link or another kind of file than its "
                      "manifest says",
                      path);
  return true;
}

/* ---- Files */

static bool
fail_to_write (const char *path, GError **error)
{
  return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "unpack '%s'", path);
}

/* Nothing but this function makes entries there, and all are plain files and folders. */
static bool
create (const Reading *reading, const VendBundleEntry *entry, int *out, GError **error)
{
  g_autofree char *path = g_build_filename (reading->dir, entry->path, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  const mode_t mode = entry->is_executable ? 0755 : 0644;
  if (g_mkdir_with_parents (entry->is_dir ? path : parent, 0755) < 0)
    return fail_to_write (entry->path, error);
  if (entry->is_dir)
    return true;
  vend_autofd fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0 || fchmod (fd, mode) < 0)
    return fail_to_write (entry->path, error);
  *out = vend_fd_steal (&fd);
  return true;
}

static char *
hex_of (EVP_MD_CTX *hash)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  guint size = 0;
  EVP_DigestFinal_ex (hash, digest, &size);
  return vend_hex (digest, size);
}

static bool
take_content (const Reading *reading, const VendBundleEntry *entry, int fd, GError **error)
{
  g_autoptr (EVP_MD_CTX) hash = EVP_MD_CTX_new ();
  uint64_t done = 0;
  EVP_DigestInit_ex (hash, EVP_sha256 (), NULL);
  for (;;)
    {
      const la_ssize_t n = archive_read_data (reading->archive, reading->block, BLOCK_SIZE);
      if (n < 0)
        return damaged (reading->archive, entry->path, error);
      if (n == 0)
        break;
      if ((uint64_t) n > entry->size - done)
        return vend_fail (error, VEND_ERROR_INVALID, "'%s' has more bytes than its manifest says",
                          entry->path);
      done += (uint64_t) n;
      EVP_DigestUpdate (hash, reading->block, (size_t) n);
      if (fd >= 0 && !vend_fd_write_all (fd, reading->block, (gsize) n, error))
        return false;
    }
  g_autofree char *actual = hex_of (hash);
  return (done == entry->size && strcmp (actual, entry->sha256) == 0)
         || vend_fail (error, VEND_ERROR_INVALID,
                       "'%s' has another checksum than its manifest says: the archive was changed",
                       entry->path);
}

static bool
take_entry (const Reading *reading, const VendBundleEntry *entry, GError **error)
{
  struct archive_entry *header = NULL;
  vend_autofd fd = -1;
  if (!expect (reading->archive, entry->path, entry->is_dir, &header, error)
      || (reading->dir != NULL && !create (reading, entry, &fd, error)))
    return false;
  return entry->is_dir || take_content (reading, entry, fd, error);
}

/* ---- The whole */

static bool
read_manifest (const Reading *reading, VendBundleManifest **out, GError **error)
{
  struct archive_entry *header = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) problem = NULL;
  if (!expect (reading->archive, VEND_BUNDLE_MANIFEST, false, &header, &problem))
    return vend_fail (error, VEND_ERROR_INVALID, "this is not an archive of 'vend export': %s",
                      problem->message);
  for (;;)
    {
      const la_ssize_t n = archive_read_data (reading->archive, reading->block, BLOCK_SIZE);
      if (n < 0)
        return damaged (reading->archive, VEND_BUNDLE_MANIFEST, error);
      if (n == 0)
        return vend_bundle_manifest_parse (text->str, text->len, out, error);
      if ((gsize) n > VEND_BUNDLE_MAX_MANIFEST - text->len)
        return vend_fail (error, VEND_ERROR_TOO_LARGE, VEND_BUNDLE_MANIFEST " is too large");
      g_string_append_len (text, reading->block, n);
    }
}

static bool
check_limits (const VendBundleManifest *manifest, const VendBundleLimits *limits, GError **error)
{
  if (manifest->entries->len > limits->max_files)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "the archive has more than %" G_GUINT64_FORMAT
                      " files (setting max-source-files)",
                      limits->max_files);
  if (manifest->size > limits->max_bytes)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "the files of the archive sum to %" G_GUINT64_FORMAT
                      " bytes, more than %" G_GUINT64_FORMAT " (setting max-archive)",
                      manifest->size, limits->max_bytes);
  return true;
}

static bool
read_all (const Reading *reading, const VendBundleLimits *limits, VendBundleManifest **out,
          GError **error)
{
  g_autoptr (VendBundleManifest) manifest = NULL;
  struct archive_entry *more = NULL;
  if (!read_manifest (reading, &manifest, error) || !check_limits (manifest, limits, error))
    return false;
  for (guint i = 0; i < manifest->entries->len; i++)
    if (!take_entry (reading, g_ptr_array_index (manifest->entries, i), error))
      return false;
  const int status = archive_read_next_header (reading->archive, &more);
  if (status == ARCHIVE_OK)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the archive has more files than its manifest "
                      "names");
  if (status != ARCHIVE_EOF)
    return damaged (reading->archive, "its end", error);
  *out = g_steal_pointer (&manifest);
  return true;
}

bool
vend_bundle_read (const char *path, const VendBundleLimits *limits, const char *dir,
                  VendBundleManifest **out, GError **error)
{
  g_autoptr (Archive) archive = archive_read_new ();
  g_autofree char *block = g_malloc (BLOCK_SIZE);
  archive_read_support_filter_zstd (archive);
  archive_read_support_format_tar (archive);
  if (archive_read_open_filename (archive, path, BLOCK_SIZE) != ARCHIVE_OK)
    return vend_fail (error, VEND_ERROR_INVALID, "this is not an archive of 'vend export': %s",
                      reason_of (archive));
  /* libarchive turns names that are marked as UTF-8 into the charset of the locale. */
  locale_t utf8 = newlocale (LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
  locale_t before = utf8 != (locale_t) 0 ? uselocale (utf8) : (locale_t) 0;
  const Reading reading = { archive, dir, block };
  const bool good = read_all (&reading, limits, out, error);
  if (utf8 != (locale_t) 0)
    {
      uselocale (before);
      freelocale (utf8);
    }
  return good;
}
