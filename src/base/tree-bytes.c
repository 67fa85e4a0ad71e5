/* A walk that others may change the tree under: what is gone counts nothing. */
#include "base/tree-bytes.h"
#include "base/fd.h"
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_BYTES 512
#define MAX_DEPTH 256

typedef struct
{
  DIR *dirs[MAX_DEPTH];
  guint depth;
} Walk;

static void
enter (Walk *walk, int at, const char *name)
{
  vend_autofd fd = openat (at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *dir = fd >= 0 && walk->depth < MAX_DEPTH ? fdopendir (fd) : NULL;
  if (dir == NULL)
    return;
  (void) vend_fd_steal (&fd);
  walk->dirs[walk->depth++] = dir;
}

static uint64_t
count (Walk *walk, DIR *dir, const struct dirent *entry)
{
  struct stat st;
  if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0
      || fstatat (dirfd (dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return 0;
  if (S_ISDIR (st.st_mode))
    enter (walk, dirfd (dir), entry->d_name);
  return (uint64_t) st.st_blocks * BLOCK_BYTES;
}

uint64_t
vend_tree_bytes (const char *const *folders, uint64_t enough, const atomic_bool *stops)
{
  uint64_t bytes = 0;
  for (; *folders != NULL; folders++)
    {
      Walk walk = { .depth = 0 };
      enter (&walk, AT_FDCWD, *folders);
      while (walk.depth > 0)
        {
          DIR *dir = walk.dirs[walk.depth - 1];
          const struct dirent *entry
              = bytes <= enough && !atomic_load (stops) ? readdir (dir) : NULL;
          if (entry != NULL)
            {
              bytes += count (&walk, dir, entry);
              continue;
            }
          closedir (dir);
          walk.depth--;
        }
    }
  return bytes;
}
