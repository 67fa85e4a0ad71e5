/* HOME of the models of an account. */
#include "director/home.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

struct VendHome
{
  char *path;
  char *aside;
  int fd;
  char *folder;
};

void
vend_home_free (VendHome *home)
{
  if (home == NULL)
    return;
  vend_fd_clear (&home->fd);
  g_free (home->path);
  g_free (home->aside);
  g_free (home->folder);
  g_free (home);
}

const char *
vend_home_folder (const VendHome *home)
{
  return home->folder;
}

/* One director at a time looks at what has the name and moves it: for microseconds. */
static bool
lock (const VendHome *home, int *out_fd, GError **error)
{
  g_autofree char *homes = g_path_get_dirname (home->path);
  if (!vend_dir_ensure (homes, error))
    return false;
  vend_autofd fd = open (homes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || flock (fd, LOCK_EX) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "lock '%s'", homes);
  *out_fd = vend_fd_steal (&fd);
  return true;
}

static bool
move (const VendHome *home, GError **error)
{
  return rename (home->path, home->aside) == 0
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "move '%s'", home->path);
}

static bool
make (VendHome *home, uid_t owner, GError **error)
{
  struct stat st;
  if (lstat (home->path, &st) == 0 && st.st_uid != owner && !move (home, error))
    return false;
  if (!vend_dir_ensure (home->path, error))
    return false;
  home->fd = open (home->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (home->fd < 0 || (owner != geteuid () && fchown (home->fd, owner, owner) < 0))
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "give '%s' to the model", home->path);
  /* No link at its end, for those who follow none. */
  home->folder = g_strdup_printf ("/proc/self/fd/%d/.", home->fd);
  return true;
}

bool
vend_home_open (const char *path, const char *aside, uid_t owner, VendHome **out, GError **error)
{
  g_autoptr (VendHome) home = g_new0 (VendHome, 1);
  vend_autofd locked = -1;
  *home = (VendHome){ .path = g_strdup (path), .aside = g_strdup (aside), .fd = -1 };
  if (!lock (home, &locked, error) || !make (home, owner, error))
    return false;
  *out = g_steal_pointer (&home);
  return true;
}

bool
vend_home_set_aside (const VendHome *home, GError **error)
{
  struct stat now, own;
  vend_autofd locked = -1;
  if (!lock (home, &locked, error))
    return false;
  if (lstat (home->path, &now) < 0 || fstat (home->fd, &own) < 0 || now.st_dev != own.st_dev
      || now.st_ino != own.st_ino)
    return true;
  return move (home, error);
}
