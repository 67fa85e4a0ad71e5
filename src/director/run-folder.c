/* The folder of the runs on one slot. */
#include "director/run-folder.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include <sys/stat.h>

/* More than a step of the clock that files are stamped with. */
#define CLOCK_STEP_US (50 * VEND_US_PER_MS)

void
vend_run_folder_init (VendRunFolder *folder, char *take)
{
  *folder = (VendRunFolder){ .path = take };
}

void
vend_run_folder_clear (VendRunFolder *folder)
{
  g_free (folder->path);
  *folder = (VendRunFolder){ 0 };
}

bool
vend_run_folder_open (VendRunFolder *folder, GError **error)
{
  if (!folder->is_made)
    folder->is_made = vend_dir_ensure (folder->path, error);
  return folder->is_made;
}

static bool
is_same (const struct timespec *a, const struct timespec *b)
{
  return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
is_empty (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  return dir != NULL && g_dir_read_name (dir) == NULL;
}

/* A change from now on has a later time than `changed`. */
static bool
is_past (const struct timespec *changed)
{
  const int64_t changed_us = (int64_t) changed->tv_sec * VEND_US_PER_S + changed->tv_nsec / 1000;
  return vend_now_us () - changed_us > CLOCK_STEP_US;
}

void
vend_run_folder_close (VendRunFolder *folder)
{
  struct stat now;
  g_autoptr (GError) error = NULL;
  if (!folder->is_made)
    return;
  const bool is_there = lstat (folder->path, &now) == 0;
  if (is_there && folder->empty_since.tv_sec != 0 && is_same (&now.st_mtim, &folder->empty_since))
    return;
  folder->empty_since = (struct timespec){ 0 };
  if (is_there && S_ISDIR (now.st_mode) && is_empty (folder->path))
    {
      if (is_past (&now.st_mtim))
        folder->empty_since = now.st_mtim;
      return;
    }
  if (folder->stays)
    {
      if (!vend_tree_clear (folder->path, &error))
        vend_log (VEND_LOG_WARN, "the folder of a run is not empty", "error", error->message, NULL);
      return;
    }
  folder->is_made = false;
  if (!vend_tree_remove (folder->path, &error))
    vend_log (VEND_LOG_WARN, "the folder of a run stays", "error", error->message, NULL);
}
