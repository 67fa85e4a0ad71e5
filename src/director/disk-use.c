/* How much the files of an instance take. */
#include "director/disk-use.h"
#include "base/fd.h"
#include "base/inbox.h"
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_BYTES 512
#define MAX_DEPTH 256
#define SHARE 20 /* one part of the time */

struct VendDiskUse
{
  char **folders;
  uint64_t limit;
  VendDiskUseOver over;
  void *context;
  VendInbox *inbox;
  GThread *thread; /* a look under way; NULL: none */
  atomic_bool stops;
  uint64_t enough; /* of the look; the thread's, like the next two */
  uint64_t bytes;
  int64_t took_us;
  uint64_t at_first;
  bool has_first;
  bool is_over;
  int64_t not_before_us;
};

/* ---- The walk. The model changes the tree meanwhile: what is gone counts nothing. */

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
vend_disk_use_measure (const char *const *folders, uint64_t enough, const atomic_bool *stops)
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

/* ---- The looks. */

static void
on_looked (void *data)
{
  VendDiskUse *use = data;
  if (use->thread == NULL)
    return;
  g_thread_join (g_steal_pointer (&use->thread));
  use->not_before_us = g_get_monotonic_time () + use->took_us * SHARE;
  if (!use->has_first)
    {
      use->has_first = true;
      use->at_first = use->bytes;
      return;
    }
  if (use->bytes <= use->enough)
    return;
  use->is_over = true;
  use->over (use->context);
}

static void *
look (void *data)
{
  VendDiskUse *use = data;
  const int64_t began_us = g_get_monotonic_time ();
  use->bytes = vend_disk_use_measure ((const char *const *) use->folders, use->enough, &use->stops);
  use->took_us = g_get_monotonic_time () - began_us;
  vend_inbox_post (use->inbox, on_looked, use);
  return NULL;
}

VendDiskUse *
vend_disk_use_new (const char *const *folders, uint64_t limit, VendDiskUseOver over, void *context)
{
  VendDiskUse *use = g_new0 (VendDiskUse, 1);
  use->folders = g_strdupv ((char **) folders);
  use->limit = limit;
  use->over = over;
  use->context = context;
  use->inbox = vend_inbox_new (g_main_context_default ());
  return use;
}

void
vend_disk_use_count_all (VendDiskUse *use)
{
  use->has_first = true;
}

void
vend_disk_use_free (VendDiskUse *use)
{
  if (use == NULL)
    return;
  atomic_store (&use->stops, true);
  if (use->thread != NULL)
    g_thread_join (g_steal_pointer (&use->thread));
  vend_inbox_free (use->inbox);
  g_strfreev (use->folders);
  g_free (use);
}

void
vend_disk_use_look (VendDiskUse *use)
{
  if (use->is_over || use->thread != NULL || g_get_monotonic_time () < use->not_before_us)
    return;
  use->enough = use->has_first ? use->at_first + use->limit : UINT64_MAX;
  use->thread = g_thread_try_new ("disk-use", look, use, NULL);
}
