/* Copies a tree by descriptors, never through a symbolic link. Blocks on disk. */
#include "workspace/tree-copy.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define CHUNK ((gsize) 1 << 20)
#define MAX_DEPTH 200 /* three descriptors each */
#define MAX_ATTRIBUTES ((gsize) 64 * 1024)
#define MAX_LINK 4096

typedef struct
{
  VendClone clone;
  GCancellable *cancellable;
  GHashTable *linked; /* "device:number" of a file with several names → its path below the root */
  GString *path;      /* of the current entry, below the root */
  char *chunk;
  int to_root;
  guint depth;
} Copy;

static bool copy_folder (Copy *copy, int from, int to, GError **error);

static bool
fail_here (const Copy *copy, GError **error)
{
  const int number = errno;
  return vend_fail_errno (error, VEND_ERROR_STORAGE, number, "copy '%s'", copy->path->str);
}

static bool
is_canceled (const Copy *copy, GError **error)
{
  return g_cancellable_is_cancelled (copy->cancellable)
         && !vend_fail (error, VEND_ERROR_CANCELED, "copy '%s': it was stopped", copy->path->str);
}

static bool
has_no_clones (int number)
{
  return number == EOPNOTSUPP || number == EXDEV || number == EINVAL || number == ENOTTY
         || number == ENOSYS;
}

/* Attributes that the version's author sees; system attributes need rights and have no meaning
 * here. */
static bool
copy_attributes (const Copy *copy, int from, int to, GError **error)
{
  char names[1024];
  const ssize_t size = flistxattr (from, names, sizeof names);
  for (ssize_t at = 0; at < size; at += (ssize_t) strlen (names + at) + 1)
    {
      if (!g_str_has_prefix (names + at, "user."))
        continue;
      g_autofree char *value = g_malloc (MAX_ATTRIBUTES);
      const ssize_t length = fgetxattr (from, names + at, value, MAX_ATTRIBUTES);
      if (length >= 0 && fsetxattr (to, names + at, value, (size_t) length, 0) < 0
          && errno != EOPNOTSUPP)
        return fail_here (copy, error);
    }
  return true;
}

/* The times go last: Python compares them with those in its caches. */
static bool
finish_entry (const Copy *copy, int from, int to, const struct stat *st, GError **error)
{
  const struct timespec times[] = { st->st_atim, st->st_mtim };
  if (!copy_attributes (copy, from, to, error))
    return false;
  return (fchmod (to, st->st_mode & 07777) == 0 && futimens (to, times) == 0)
         || fail_here (copy, error);
}

static bool
copy_bytes (const Copy *copy, int from, int to, GError **error)
{
  for (;;)
    {
      if (is_canceled (copy, error))
        return false;
      const ssize_t n = read (from, copy->chunk, CHUNK);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fail_here (copy, error);
      if (n == 0)
        return true;
      if (!vend_fd_write_all (to, copy->chunk, (gsize) n, error))
        {
          g_prefix_error (error, "copy '%s': ", copy->path->str);
          return false;
        }
    }
}

static bool
copy_content (Copy *copy, int from, int to, GError **error)
{
  if (copy->clone == VEND_CLONE_NEVER)
    return copy_bytes (copy, from, to, error);
  if (ioctl (to, FICLONE, from) == 0)
    return true;
  if (copy->clone == VEND_CLONE_ONLY || !has_no_clones (errno))
    return fail_here (copy, error);
  copy->clone = VEND_CLONE_NEVER;
  return copy_bytes (copy, from, to, error);
}

static bool
copy_file (Copy *copy, int from_dir, int to_dir, const char *name, GError **error)
{
  struct stat st;
  vend_autofd from = openat (from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (from < 0 || fstat (from, &st) < 0)
    return fail_here (copy, error);
  vend_autofd to
      = openat (to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (to < 0)
    return fail_here (copy, error);
  return copy_content (copy, from, to, error) && finish_entry (copy, from, to, &st, error);
}

/* Several names of one file in the source become names of one file in the copy, not of the
 * source's. */
static bool
copy_linked (Copy *copy, int from_dir, int to_dir, const char *name, const struct stat *st,
             GError **error)
{
  g_autofree char *key
      = g_strdup_printf ("%ju:%ju", (uintmax_t) st->st_dev, (uintmax_t) st->st_ino);
  const char *first = g_hash_table_lookup (copy->linked, key);
  if (first != NULL)
    return linkat (copy->to_root, first, to_dir, name, 0) == 0 || fail_here (copy, error);
  if (!copy_file (copy, from_dir, to_dir, name, error))
    return false;
  g_hash_table_insert (copy->linked, g_steal_pointer (&key), g_strdup (copy->path->str));
  return true;
}

static bool
copy_link (const Copy *copy, int from_dir, int to_dir, const char *name, const struct stat *st,
           GError **error)
{
  char target[MAX_LINK];
  const ssize_t length = readlinkat (from_dir, name, target, sizeof target - 1);
  if (length < 0)
    return fail_here (copy, error);
  target[length] = '\0';
  const struct timespec times[] = { st->st_atim, st->st_mtim };
  return (symlinkat (target, to_dir, name) == 0
          && utimensat (to_dir, name, times, AT_SYMLINK_NOFOLLOW) == 0)
         || fail_here (copy, error);
}

static bool
copy_subfolder (Copy *copy, int from_dir, int to_dir, const char *name, GError **error)
{
  struct stat st;
  if (copy->depth >= MAX_DEPTH)
    return vend_fail (error, VEND_ERROR_TOO_LARGE, "copy '%s': deeper than %d folders",
                      copy->path->str, MAX_DEPTH);
  vend_autofd from = openat (from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (from < 0 || fstat (from, &st) < 0 || mkdirat (to_dir, name, 0700) < 0)
    return fail_here (copy, error);
  vend_autofd to = openat (to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (to < 0)
    return fail_here (copy, error);
  copy->depth++;
  const bool copied = copy_folder (copy, from, to, error);
  copy->depth--;
  return copied && finish_entry (copy, from, to, &st, error);
}

static bool
copy_entry (Copy *copy, int from, int to, const char *name, GError **error)
{
  struct stat st;
  if (is_canceled (copy, error))
    return false;
  if (fstatat (from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return fail_here (copy, error);
  if (S_ISDIR (st.st_mode))
    return copy_subfolder (copy, from, to, name, error);
  if (S_ISLNK (st.st_mode))
    return copy_link (copy, from, to, name, &st, error);
  if (S_ISREG (st.st_mode))
    return st.st_nlink > 1 ? copy_linked (copy, from, to, name, &st, error)
                           : copy_file (copy, from, to, name, error);
  return mknodat (to, name, st.st_mode, st.st_rdev) == 0 || fail_here (copy, error);
}

static bool
copy_folder (Copy *copy, int from, int to, GError **error)
{
  g_autofree char *here = g_strdup_printf ("/proc/self/fd/%d", from);
  g_autoptr (GDir) listing = g_dir_open (here, 0, NULL);
  if (listing == NULL)
    return vend_fail (error, VEND_ERROR_STORAGE, "copy '%s': it cannot be listed", copy->path->str);
  const gsize length = copy->path->len;
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    {
      g_string_append_printf (copy->path, "%s%s", length > 0 ? "/" : "", name);
      if (!copy_entry (copy, from, to, name, error))
        return false;
      g_string_truncate (copy->path, length);
    }
  return true;
}

bool
vend_tree_copy (const char *from, const char *to, VendClone clone, GCancellable *cancellable,
                GError **error)
{
  struct stat st;
  vend_autofd source = open (from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (source < 0 || fstat (source, &st) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", from);
  if (mkdir (to, 0700) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create directory '%s'", to);
  vend_autofd target = open (to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (target < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", to);

  g_autoptr (GHashTable) linked = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GString) path = g_string_new (NULL);
  g_autofree char *chunk = g_malloc (CHUNK);
  Copy copy = { .clone = clone,
                .cancellable = cancellable,
                .linked = linked,
                .path = path,
                .chunk = chunk,
                .to_root = target };
  return copy_folder (&copy, source, target, error)
         && finish_entry (&copy, source, target, &st, error);
}

/* ---- Owners */

#define OWN_FDS 64

static _Thread_local uid_t new_owner;

static int
own_entry (const char *path, const struct stat *st, int kind, struct FTW *position)
{
  return lchown (path, new_owner, new_owner);
}

bool
vend_tree_own (const char *path, uid_t owner, GError **error)
{
  new_owner = owner;
  return nftw (path, own_entry, OWN_FDS, FTW_PHYS) == 0
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "give '%s' to user %u", path,
                             (guint) owner);
}
