/* Folders of an image's root, and what lies in them. */
#include "image/root.h"
#include "base/error.h"
#include "base/fd.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_PART 255
#define EAGAIN_TRIES 16

bool
vend_root_split (const char *name, char ***out, GError **error)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);
  if (strlen (name) > VEND_ROOT_MAX_PATH)
    return vend_fail (error, VEND_ERROR_INVALID, "the path is longer than %d bytes",
                      (int) VEND_ROOT_MAX_PATH);
  g_auto (GStrv) pieces = g_strsplit (name, "/", -1);
  for (gsize i = 0; pieces[i] != NULL; i++)
    {
      if (strcmp (pieces[i], "..") == 0)
        return vend_fail (error, VEND_ERROR_INVALID, "the path leads out with '..'");
      if (strlen (pieces[i]) > MAX_PART)
        return vend_fail (error, VEND_ERROR_INVALID, "a part of the path is longer than 255 bytes");
      if (*pieces[i] != '\0' && strcmp (pieces[i], ".") != 0)
        g_ptr_array_add (parts, g_strdup (pieces[i]));
    }
  g_ptr_array_add (parts, NULL);
  *out = (char **) g_ptr_array_free (g_steal_pointer (&parts), FALSE);
  return true;
}

int
vend_root_open (const VendRoot *root, const char *path, int flags)
{
  const struct open_how how = { .flags = (guint64) (flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY),
                                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
  for (guint i = 0;; i++)
    {
      const int fd = (int) syscall (SYS_openat2, root->fd, path, &how, sizeof how);
      if (fd >= 0 || errno != EAGAIN || i == EAGAIN_TRIES)
        return fd;
    }
}

bool
vend_root_count (VendRoot *root, GError **error)
{
  if (root->n_entries >= root->max_entries)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "the image has more than %" G_GUINT64_FORMAT
                      " files and folders (image-max-files)",
                      root->max_entries);
  root->n_entries++;
  return true;
}

static int
open_path (const VendRoot *root, char *const *parts, gsize count)
{
  g_autoptr (GString) path = g_string_new (NULL);
  for (gsize i = 0; i < count; i++)
    g_string_append_printf (path, "%s%s", i > 0 ? "/" : "", parts[i]);
  return vend_root_open (root, count > 0 ? path->str : ".", O_RDONLY | O_DIRECTORY);
}

/* Links can lead deeper than a path could, and nothing removes what has no path. */
static bool
check_depth (int folder, GError **error)
{
  char path[VEND_ROOT_MAX_PATH];
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", folder);
  const ssize_t length = readlink (link, path, sizeof path);
  if (length > 0 && (gsize) length < sizeof path - MAX_PART - 1)
    return true;
  return vend_fail (error, VEND_ERROR_INVALID, "the folder lies too deep");
}

static bool
make_folder (VendRoot *root, int parent, const char *name, GError **error)
{
  if (!check_depth (parent, error) || !vend_root_count (root, error))
    return false;
  return mkdirat (parent, name, 0755) == 0
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "make a folder");
}

bool
vend_root_folder (VendRoot *root, char *const *parts, gsize count, int *out, GError **error)
{
  for (gsize made = 0;; made++)
    {
      vend_autofd fd = open_path (root, parts, count);
      if (fd >= 0)
        {
          *out = vend_fd_steal (&fd);
          return check_depth (*out, error) || (vend_fd_clear (out), false);
        }
      if (errno == ENOTDIR || errno == ELOOP)
        return vend_fail (error, VEND_ERROR_INVALID, "a part of the path is no folder");
      if (errno != ENOENT || made > count)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open a folder of the image");
      /* The first part that is missing. */
      gsize n = count;
      vend_autofd parent = -1;
      while (parent < 0 && n > 0)
        parent = open_path (root, parts, --n);
      if (parent < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open the image's root");
      struct stat st;
      if (fstatat (parent, parts[n], &st, AT_SYMLINK_NOFOLLOW) == 0)
        return vend_fail (error, VEND_ERROR_INVALID, "a part of the path is no folder");
      if (!make_folder (root, parent, parts[n], error))
        return false;
    }
}

/* ---- Removing */

static bool
remove_below (int folder, const char *name, bool (*keeps) (ino_t inode, void *data), void *data,
              GError **error)
{
  struct stat st;
  if (fstatat (folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT
           || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "look at '%s'", name);
  const bool kept = keeps != NULL && keeps (st.st_ino, data);
  if (S_ISDIR (st.st_mode))
    {
      vend_autofd inner = openat (folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (inner < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", name);
      if (!vend_root_empty (inner, keeps, data, error))
        return false;
    }
  return kept
         || unlinkat (folder, name, S_ISDIR (st.st_mode) ? AT_REMOVEDIR : 0) == 0
         /* Something in it is kept. */
         || (keeps != NULL && (errno == ENOTEMPTY || errno == EEXIST))
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", name);
}

static bool
list (int folder, GPtrArray *out, GError **error)
{
  vend_autofd own = openat (folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = own >= 0 ? fdopendir (own) : NULL;
  if (dir == NULL)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "list a folder of the image");
  (void) vend_fd_steal (&own);
  for (const struct dirent *entry; (entry = readdir (dir)) != NULL;)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      g_ptr_array_add (out, g_strdup (entry->d_name));
  closedir (dir);
  return true;
}

bool
vend_root_empty (int folder, bool (*keeps) (ino_t inode, void *data), void *data, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  if (!list (folder, names, error))
    return false;
  for (guint i = 0; i < names->len; i++)
    if (!remove_below (folder, g_ptr_array_index (names, i), keeps, data, error))
      return false;
  return true;
}

bool
vend_root_remove (int folder, const char *name, GError **error)
{
  return remove_below (folder, name, NULL, NULL, error);
}
