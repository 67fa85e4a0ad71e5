/* Somebody else's archive → plain files and folders below one folder. Blocking. Names are checked
 * as text and then walked one component at a time, never through a link. */
#include "build/unpack.h"
#include "base/error.h"
#include "base/fd.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_SIZE ((gsize) 64 * 1024)

typedef struct archive VendArchive;
static void
archive_close (VendArchive *archive)
{
  archive_read_free (archive);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendArchive, archive_close)

typedef struct
{
  VendArchive *archive; /* borrowed */
  int root_fd;
  const VendUnpackLimits *limits;
  uint64_t n_bytes;
  uint64_t n_files;
} Unpack;

static bool
refuse (GError **error, const char *name, const char *why)
{
  g_autofree char *shown = g_strescape (name, NULL);
  if (strlen (shown) > VEND_UNPACK_MAX_NAME)
    shown[VEND_UNPACK_MAX_NAME] = '\0';
  return vend_fail (error, VEND_ERROR_INVALID, "archive entry '%s': %s", shown, why);
}

/* The components of a good name; none for the root itself. */
static bool
split_name (const char *name, char ***out, GError **error)
{
  const gsize length = strlen (name);
  if (length == 0)
    return refuse (error, name, "the name is empty");
  if (length > VEND_UNPACK_MAX_NAME)
    return refuse (error, name, "the name is longer than 1024 bytes");
  if (!g_utf8_validate (name, (gssize) length, NULL))
    return refuse (error, name, "the name is not UTF-8");
  if (name[0] == '/')
    return refuse (error, name, "the path is absolute");
  for (gsize i = 0; i < length; i++)
    if (g_ascii_iscntrl (name[i]))
      return refuse (error, name, "the name holds a control character");

  g_auto (GStrv) pieces = g_strsplit (name, "/", -1);
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; pieces[i] != NULL; i++)
    {
      if (strcmp (pieces[i], "..") == 0)
        return refuse (error, name, "the path leads out with '..'");
      if (strlen (pieces[i]) > 255)
        return refuse (error, name, "a part of the path is longer than 255 bytes");
      if (*pieces[i] != '\0' && strcmp (pieces[i], ".") != 0)
        g_ptr_array_add (parts, g_strdup (pieces[i]));
    }
  g_ptr_array_add (parts, NULL);
  *out = (char **) g_ptr_array_free (g_steal_pointer (&parts), FALSE);
  return true;
}

static bool
count_one (Unpack *unpack, const char *name, GError **error)
{
  if (unpack->n_files >= unpack->limits->max_files)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "archive entry '%s': more than %" G_GUINT64_FORMAT " files", name,
                      unpack->limits->max_files);
  unpack->n_files++;
  return true;
}

static int
open_below (int folder_fd, const char *name)
{
  return openat (folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens the folder `count` components down, making what is missing. */
static bool
open_folder (Unpack *unpack, const char *name, char **parts, gsize count, int *out, GError **error)
{
  vend_autofd at = fcntl (unpack->root_fd, F_DUPFD_CLOEXEC, 3);
  if (at < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "unpack '%s'", name);
  for (gsize i = 0; i < count; i++)
    {
      vend_autofd next = open_below (at, parts[i]);
      if (next < 0 && errno == ENOENT)
        {
          if (!count_one (unpack, name, error))
            return false;
          if (mkdirat (at, parts[i], 0755) == 0)
            next = open_below (at, parts[i]);
        }
      if (next < 0 && (errno == ENOTDIR || errno == ELOOP))
        return refuse (error, name, "a file and a folder have the same name");
      if (next < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "unpack '%s'", name);
      vend_fd_clear (&at);
      at = vend_fd_steal (&next);
    }
  *out = vend_fd_steal (&at);
  return true;
}

/* Counts as it writes, so that an archive that lies about sizes ends early. */
static bool
write_content (Unpack *unpack, int fd, const char *name, GError **error)
{
  g_autofree char *block = g_malloc (BLOCK_SIZE);
  for (;;)
    {
      const la_ssize_t n = archive_read_data (unpack->archive, block, BLOCK_SIZE);
      if (n < 0)
        return refuse (error, name,
                       archive_error_string (unpack->archive) != NULL
                           ? archive_error_string (unpack->archive)
                           : "the entry is damaged");
      if (n == 0)
        return true;
      if ((uint64_t) n > unpack->limits->max_bytes - unpack->n_bytes)
        return vend_fail (error, VEND_ERROR_TOO_LARGE,
                          "archive entry '%s': the files sum to more than %" G_GUINT64_FORMAT
                          " bytes",
                          name, unpack->limits->max_bytes);
      unpack->n_bytes += (uint64_t) n;
      if (!vend_fd_write_all (fd, block, (gsize) n, error))
        return false;
    }
}

static bool
unpack_file (Unpack *unpack, const char *name, char **parts, bool executable, GError **error)
{
  const gsize count = g_strv_length (parts);
  vend_autofd folder = -1;
  if (count == 0)
    return refuse (error, name, "a file and a folder have the same name");
  if (!open_folder (unpack, name, parts, count - 1, &folder, error)
      || !count_one (unpack, name, error))
    return false;
  const mode_t mode = executable ? 0755 : 0644;
  vend_autofd fd = openat (folder, parts[count - 1],
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0 && errno == EEXIST)
    return refuse (error, name, "the entry occurs twice");
  if (fd < 0 || fchmod (fd, mode) != 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "unpack '%s'", name);
  return write_content (unpack, fd, name, error);
}

static bool
unpack_entry (Unpack *unpack, struct archive_entry *entry, GError **error)
{
  const char *name = archive_entry_pathname (entry);
  if (name == NULL)
    name = archive_entry_pathname_utf8 (entry);
  if (name == NULL)
    return refuse (error, "?", "the name is not UTF-8");
  g_auto (GStrv) parts = NULL;
  if (!split_name (name, &parts, error))
    return false;
  if (archive_entry_hardlink (entry) != NULL || archive_entry_hardlink_utf8 (entry) != NULL)
    return refuse (error, name, "hard links are not allowed; only files and folders are");

  switch (archive_entry_filetype (entry))
    {
    case AE_IFREG:
      return unpack_file (unpack, name, parts, (archive_entry_perm (entry) & 0100) != 0, error);
    case AE_IFDIR:
      {
        vend_autofd folder = -1;
        return open_folder (unpack, name, parts, g_strv_length (parts), &folder, error);
      }
    case AE_IFLNK:
      return refuse (error, name, "symbolic links are not allowed; only files and folders are");
    default:
      return refuse (error, name, "devices and pipes are not allowed; only files and folders are");
    }
}

static bool
unpack_all (Unpack *unpack, GError **error)
{
  for (;;)
    {
      struct archive_entry *entry = NULL;
      const int status = archive_read_next_header (unpack->archive, &entry);
      if (status == ARCHIVE_EOF)
        return true;
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
        return vend_fail (error, VEND_ERROR_INVALID, "archive entry %" G_GUINT64_FORMAT ": %s",
                          unpack->n_files + 1, archive_error_string (unpack->archive));
      if (!unpack_entry (unpack, entry, error))
        return false;
    }
}

static bool
open_archive (const char *path, VendArchive **out, GError **error)
{
  g_autoptr (VendArchive) archive = archive_read_new ();
  g_assert (archive != NULL);
  archive_read_support_filter_gzip (archive);
  archive_read_support_format_tar (archive);
  archive_read_support_format_zip (archive);
  if (archive_read_open_filename (archive, path, BLOCK_SIZE) != ARCHIVE_OK)
    return vend_fail (error, VEND_ERROR_INVALID, "archive: not a readable tar.gz, tar or zip: %s",
                      archive_error_string (archive));
  *out = g_steal_pointer (&archive);
  return true;
}

bool
vend_unpack (const char *path, const char *dir, const VendUnpackLimits *limits, GError **error)
{
  g_autoptr (VendArchive) archive = NULL;
  vend_autofd root_fd = open (dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (root_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", dir);
  if (!open_archive (path, &archive, error))
    return false;

  /* libarchive turns names that are marked as UTF-8 into the charset of the locale. */
  locale_t utf8 = newlocale (LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
  locale_t before = utf8 != (locale_t) 0 ? uselocale (utf8) : (locale_t) 0;
  Unpack unpack = { .archive = archive, .root_fd = root_fd, .limits = limits };
  const bool good = unpack_all (&unpack, error);
  if (utf8 != (locale_t) 0)
    {
      uselocale (before);
      freelocale (utf8);
    }
  return good;
}
