/* Descriptors, files and directories: whole writes, durable replaces, bounded reads. */
#include "base/fd.h"
#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define COPY_CHUNK ((gsize) 1 << 20)
#define MAX_COPY ((uint64_t) 1 << 30)

bool
vend_fd_write_all (int fd, const void *data, gsize size, GError **error)
{
  for (gsize done = 0; done < size;)
    {
      ssize_t n = write (fd, (const char *) data + done, size - done);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "write");
      done += (gsize) n;
    }
  return true;
}

/* Errors between file systems, and of file systems without support. */
static bool
needs_plain_copy (int number)
{
  return number == EXDEV || number == EINVAL || number == ENOSYS || number == EOPNOTSUPP;
}

static bool
copy_plainly (int from, int to, uint64_t size, GError **error)
{
  g_autofree char *chunk = g_malloc (COPY_CHUNK);
  while (size > 0)
    {
      const ssize_t n = read (from, chunk, (gsize) MIN (size, COPY_CHUNK));
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, n < 0 ? errno : EIO, "read");
      if (!vend_fd_write_all (to, chunk, (gsize) n, error))
        return false;
      size -= (uint64_t) n;
    }
  return true;
}

bool
vend_fd_copy (int from, int to, uint64_t size, GError **error)
{
  while (size > 0)
    {
      const ssize_t n = copy_file_range (from, NULL, to, NULL, MIN (size, MAX_COPY), 0);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && needs_plain_copy (errno))
        return copy_plainly (from, to, size, error);
      if (n <= 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, n < 0 ? errno : EIO, "copy");
      size -= (uint64_t) n;
    }
  return true;
}

bool
vend_fd_read_all (int fd, const char *name, gsize limit, char **out, gsize *out_size,
                  GError **error)
{
  g_autoptr (GByteArray) data = g_byte_array_new ();
  guint8 chunk[16 * 1024];
  for (;;)
    {
      ssize_t n = read (fd, chunk, sizeof chunk);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read '%s'", name);
      if (n == 0)
        break;
      if (data->len + (gsize) n > limit)
        return vend_fail (error, VEND_ERROR_TOO_LARGE,
                          "'%s' is larger than %" G_GSIZE_FORMAT " bytes", name, limit);
      g_byte_array_append (data, chunk, (guint) n);
    }
  if (out_size != NULL)
    *out_size = data->len;
  g_byte_array_append (data, (const guint8 *) "", 1);
  *out = (char *) g_byte_array_free (g_steal_pointer (&data), FALSE);
  return true;
}

bool
vend_file_read (const char *path, gsize limit, char **out, gsize *out_size, GError **error)
{
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return vend_fail_errno (error, errno == ENOENT ? VEND_ERROR_NOT_FOUND : VEND_ERROR_STORAGE,
                            errno, "open '%s'", path);
  return vend_fd_read_all (fd, path, limit, out, out_size, error);
}

bool
vend_dir_sync (const char *path, GError **error)
{
  vend_autofd fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || fsync (fd) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync directory '%s'", path);
  return true;
}

bool
vend_file_replace (const char *path, const void *data, gsize size, int mode, GError **error)
{
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  vend_autofd fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, mode);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", temporary);

  bool written = vend_fd_write_all (fd, data, size, error);
  if (written && fsync (fd) < 0)
    written = vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync '%s'", temporary);
  if (written && rename (temporary, path) < 0)
    written = vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "rename to '%s'", path);
  if (!written)
    {
      unlink (temporary);
      return false;
    }
  g_autofree char *parent = g_path_get_dirname (path);
  return vend_dir_sync (parent, error);
}

bool
vend_dir_ensure (const char *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0700) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create directory '%s'", path);
  return true;
}

static int
remove_entry (const char *path, const struct stat *st, int kind, struct FTW *position)
{
  (void) st;
  (void) position;
  /* A read-only directory keeps its entries; its owner may change the mode. */
  if (kind == FTW_DNR)
    chmod (path, 0700);
  return remove (path) < 0 && errno != ENOENT ? -1 : 0;
}

static int
make_writable (const char *path, const struct stat *st, int kind, struct FTW *position)
{
  (void) position;
  if ((kind == FTW_D || kind == FTW_DNR) && (st->st_mode & 0700) != 0700)
    chmod (path, 0700);
  /* Its entries were not shown. */
  if (kind == FTW_DNR && access (path, R_OK | X_OK) == 0)
    nftw (path, make_writable, 16, FTW_PHYS);
  return 0;
}

bool
vend_tree_remove (const char *path, GError **error)
{
  /* Most are empty: no walk for them. */
  if (rmdir (path) == 0 || errno == ENOENT)
    return true;
  nftw (path, make_writable, 16, FTW_PHYS);
  if (nftw (path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", path);
  return true;
}

bool
vend_lock_file (const char *path, int *out_fd, GError **error)
{
  vend_autofd fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open lock file '%s'", path);
  if (flock (fd, LOCK_EX | LOCK_NB) < 0)
    return errno == EWOULDBLOCK
               ? vend_fail (error, VEND_ERROR_BUSY, "'%s' is locked by another process", path)
               : vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "lock '%s'", path);
  *out_fd = vend_fd_steal (&fd);
  return true;
}
