/* Files that a model made, taken from where it made them. */
#include "director/output-file.h"
#include "base/error.h"
#include "base/fd.h"
#include "files/file-name.h"
#include "director/output.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#define COPY_SIZE ((gsize) 256 * 1024)
#define WRITER_WAITS 50
#define WRITER_WAIT_US 1000

static bool
fail_to_read (GError **error, const char *path, int number)
{
  return vend_fail (error, VEND_ERROR_RUNNER, "the output file '%s' cannot be read: %s", path,
                    g_strerror (number));
}

/* Links that are absolute lead to the model's root, not to ours. */
static int
open_below (int root_fd, const char *path)
{
  const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
  for (guint i = 0;; i++)
    {
      const int fd = (int) syscall (SYS_openat2, root_fd, path, &how, sizeof how);
      /* A rename elsewhere makes it give up now and then. */
      if (fd >= 0 || errno != EAGAIN || i == 16)
        return fd;
    }
}

bool
vend_output_file_can_open (int root_fd)
{
  vend_autofd fd = open_below (root_fd, "/");
  return fd >= 0;
}

/* What the kernel makes up is no output of a model: the director may read more of it. */
static bool
is_of_kernel (int fd)
{
  struct statfs fs;
  return fstatfs (fd, &fs) == 0
         && (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC
             || fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC);
}

/* This thread alone, and not its rights to signal: the model cannot see it. */
static int
open_as (const VendModelRoot *root, const char *path)
{
  if (root->user == 0)
    return open_below (root->fd, path);
  setfsgid (root->user);
  setfsuid (root->user);
  const int fd = open_below (root->fd, path);
  const int number = errno;
  setfsuid (geteuid ());
  setfsgid (getegid ());
  errno = number;
  return fd;
}

bool
vend_output_file_open (const VendModelRoot *root, const char *cwd, const char *path, int *out_fd,
                       struct stat *out_stat, GError **error)
{
  g_autofree char *whole
      = g_path_is_absolute (path) ? g_strdup (path) : g_build_filename (cwd, path, NULL);
  vend_autofd fd = open_as (root, whole);
  if (fd < 0 || fstat (fd, out_stat) < 0)
    return fail_to_read (error, path, errno);
  if (S_ISDIR (out_stat->st_mode))
    return fail_to_read (error, path, EISDIR);
  if (!S_ISREG (out_stat->st_mode) || is_of_kernel (fd))
    return vend_fail (error, VEND_ERROR_RUNNER,
                      "the output file '%s' cannot be read: it is not a plain file", path);
  *out_fd = vend_fd_steal (&fd);
  return true;
}

static bool
too_large (const VendOutputFileTaking *taking, GError **error)
{
  return vend_fail (error, VEND_ERROR_TOO_LARGE,
                    "an output file is larger than %" G_GUINT64_FORMAT " bytes", taking->max_size);
}

static bool
copy (const VendOutputFileTaking *taking, int to, GChecksum *sum, uint64_t *out_size,
      GError **error)
{
  g_autofree guchar *chunk = g_malloc (COPY_SIZE);
  *out_size = 0;
  for (;;)
    {
      const ssize_t n = read (taking->fd, chunk, COPY_SIZE);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fail_to_read (error, taking->path, errno);
      if (n == 0)
        return true;
      *out_size += (uint64_t) n;
      if (taking->max_size > 0 && *out_size > taking->max_size)
        return too_large (taking, error);
      if (!vend_fd_write_all (to, chunk, (gsize) n, error))
        return false;
      g_checksum_update (sum, chunk, n);
    }
}

static bool
is_same (const struct stat *a, const struct stat *b)
{
  return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
         && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec
         && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool
check_unchanged (const VendOutputFileTaking *taking, uint64_t size, GError **error)
{
  struct stat after;
  if (!taking->must_stay)
    return true;
  if (fstat (taking->fd, &after) == 0 && is_same (&taking->before, &after)
      && (uint64_t) after.st_size == size)
    return true;
  return vend_fail (error, VEND_ERROR_CONFLICT,
                    "the output file '%s' was written to while it was taken: give each piece a "
                    "file of its own",
                    taking->path);
}

bool
vend_output_file_is_written (int fd)
{
  /* A lease: who wants to write waits until it is given back. Files of others have none. */
  return fcntl (fd, F_SETLEASE, F_RDLCK) < 0 && errno == EAGAIN;
}

/* One that stays open without being written to is not waited for in vain for long. */
static void
wait_for_writers (int fd)
{
  for (guint i = 0; i < WRITER_WAITS && vend_output_file_is_written (fd); i++)
    g_usleep (WRITER_WAIT_US);
}

static bool
take_into (const VendOutputFileTaking *taking, int to, json_t **out, GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  uint64_t size = 0;
  if (taking->must_stay)
    wait_for_writers (taking->fd);
  if (!copy (taking, to, sum, &size, error) || !check_unchanged (taking, size, error))
    return false;
  *out = vend_output_file_new (taking->target, taking->name,
                               taking->type != NULL ? taking->type : vend_file_type (taking->name),
                               size, g_checksum_get_string (sum));
  return true;
}

bool
vend_output_file_take (const VendOutputFileTaking *taking, json_t **out, GError **error)
{
  if (taking->max_size > 0 && (uint64_t) taking->before.st_size > taking->max_size)
    return too_large (taking, error);
  vend_autofd to
      = open (taking->target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (to < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", taking->target);
  if (take_into (taking, to, out, error))
    return true;
  unlink (taking->target);
  return false;
}
