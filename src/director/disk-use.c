/* How much the files of an instance take. */
#include "director/disk-use.h"
#include "base/fd.h"
#include <dirent.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_BYTES 512
#define MAX_DEPTH 256
#define SHARE 20 /* one part of the time */

/* The thread has it until its result is heard, also when nobody waits any more. */
typedef struct
{
  VendDiskUse *use; /* NULL: nobody waits; main context only */
  pthread_mutex_t lock;
  char **folders;
  uint64_t enough;
  uint64_t bytes;
  int64_t took_us;
} Look;

struct VendDiskUse
{
  char **folders;
  uint64_t limit;
  uint64_t at_first;
  bool has_first;
  bool is_over;
  int64_t not_before_us;
  Look *look; /* under way */
  VendDiskUseOver over;
  void *context;
};

static void
look_free (Look *look)
{
  pthread_mutex_destroy (&look->lock);
  g_strfreev (look->folders);
  g_free (look);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Look, look_free)

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
vend_disk_use_measure (const char *const *folders, uint64_t enough)
{
  uint64_t bytes = 0;
  for (; *folders != NULL; folders++)
    {
      Walk walk = { .depth = 0 };
      enter (&walk, AT_FDCWD, *folders);
      while (walk.depth > 0)
        {
          DIR *dir = walk.dirs[walk.depth - 1];
          const struct dirent *entry = bytes <= enough ? readdir (dir) : NULL;
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

/* GLib's queues order the threads as well, by locks that the thread sanitizer does not see. */
static void
hand_over (Look *look)
{
  pthread_mutex_lock (&look->lock);
  pthread_mutex_unlock (&look->lock);
}

static void
look_in_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Look *look = data;
  const int64_t began_us = g_get_monotonic_time ();
  pthread_mutex_lock (&look->lock);
  look->bytes = vend_disk_use_measure ((const char *const *) look->folders, look->enough);
  look->took_us = g_get_monotonic_time () - began_us;
  pthread_mutex_unlock (&look->lock);
  g_task_return_boolean (task, true);
}

static void
on_looked (GObject *source, GAsyncResult *result, void *data)
{
  g_autoptr (Look) look = data;
  VendDiskUse *use = look->use;
  if (use == NULL)
    return;
  use->look = NULL;
  hand_over (look);
  use->not_before_us = g_get_monotonic_time () + look->took_us * SHARE;
  if (!use->has_first)
    {
      use->has_first = true;
      use->at_first = look->bytes;
      return;
    }
  if (look->bytes <= look->enough || use->is_over)
    return;
  use->is_over = true;
  use->over (use->context);
}

VendDiskUse *
vend_disk_use_new (const char *const *folders, uint64_t limit, VendDiskUseOver over, void *context)
{
  VendDiskUse *use = g_new0 (VendDiskUse, 1);
  *use = (VendDiskUse){
    .folders = g_strdupv ((char **) folders), .limit = limit, .over = over, .context = context
  };
  return use;
}

void
vend_disk_use_free (VendDiskUse *use)
{
  if (use == NULL)
    return;
  if (use->look != NULL)
    use->look->use = NULL;
  g_strfreev (use->folders);
  g_free (use);
}

void
vend_disk_use_look (VendDiskUse *use)
{
  if (use->is_over || use->look != NULL || g_get_monotonic_time () < use->not_before_us)
    return;
  Look *look = g_new0 (Look, 1);
  *look = (Look){ .use = use,
                  .folders = g_strdupv (use->folders),
                  .enough = use->has_first ? use->at_first + use->limit : UINT64_MAX };
  pthread_mutex_init (&look->lock, NULL);
  hand_over (look);
  use->look = look;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_looked, look);
  g_task_set_task_data (task, look, NULL);
  g_task_run_in_thread (task, look_in_thread);
}
