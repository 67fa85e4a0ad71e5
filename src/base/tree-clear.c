/* Empties a folder that somebody else may be writing to. */
#include "base/error.h"
#include "base/fd.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEPTH 64
#define MAX_ROUNDS 64

typedef struct
{
  int root;
  guint n_moved;
} Clearing;

static int
open_folder (int at, const char *name)
{
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat (at, name, flags);
  /* Its owner may change the mode; root needs not. */
  if (fd < 0 && errno == EACCES && fchmodat (at, name, 0700, 0) == 0)
    fd = openat (at, name, flags);
  return fd;
}

static void clear_folder (Clearing *clearing, int take, guint depth);

static void
remove_entry (Clearing *clearing, int at, const char *name, guint depth)
{
  char moved[64];
  if (unlinkat (at, name, 0) == 0 || (errno != EISDIR && errno != EPERM))
    return;
  if (depth >= MAX_DEPTH)
    {
      /* Its turn comes in another round. */
      snprintf (moved, sizeof moved, ".vend-deep-%u", clearing->n_moved++);
      (void) !renameat (at, name, clearing->root, moved);
      return;
    }
  const int fd = open_folder (at, name);
  if (fd >= 0)
    clear_folder (clearing, fd, depth + 1);
  (void) !unlinkat (at, name, AT_REMOVEDIR);
}

static void
clear_folder (Clearing *clearing, int take, guint depth)
{
  DIR *dir = fdopendir (take);
  if (dir == NULL)
    {
      close (take);
      return;
    }
  for (const struct dirent *entry; (entry = readdir (dir)) != NULL;)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      remove_entry (clearing, dirfd (dir), entry->d_name, depth);
  closedir (dir);
}

static bool
is_empty (int root)
{
  DIR *dir = fdopendir (openat (root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  bool empty = true;
  if (dir == NULL)
    return false;
  for (const struct dirent *entry; empty && (entry = readdir (dir)) != NULL;)
    empty = strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0;
  closedir (dir);
  return empty;
}

bool
vend_tree_clear (const char *path, GError **error)
{
  vend_autofd root = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  Clearing clearing = { .root = root };
  if (root < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  for (guint i = 0; i < MAX_ROUNDS && !is_empty (root); i++)
    {
      const int own = openat (root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (own >= 0)
        clear_folder (&clearing, own, 0);
    }
  return is_empty (root) || vend_fail (error, VEND_ERROR_STORAGE, "'%s' cannot be emptied", path);
}
