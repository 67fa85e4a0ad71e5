/* Descriptors, files and directories: whole writes, durable replaces, bounded reads. These block on
 * disk; the core thread calls only the ones that say otherwise. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>
#include <glib.h>

static inline void
vend_fd_clear (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

/* A descriptor that closes when it leaves scope; hand it on with vend_fd_steal. */
#define vend_autofd __attribute__ ((cleanup (vend_fd_clear))) int

static inline int
vend_fd_steal (int *fd)
{
  int taken = *fd;
  *fd = -1;
  return taken;
}

bool vend_fd_write_all (int fd, const void *data, gsize size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* `size` bytes from where `from` stands to where `to` does, on whatever file systems they are. The
 * kernel copies where it can. Fewer bytes than that is an error. */
bool vend_fd_copy (int from, int to, uint64_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All that is left of `fd` as text, at most `limit` bytes (else TOO_LARGE); errors say `name`. Free
 * with g_free. */
bool vend_fd_read_all (int fd, const char *name, gsize limit, char **out, gsize *out_size,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whole file as text, at most `limit` bytes (else TOO_LARGE). Free with g_free. */
bool vend_file_read (const char *path, gsize limit, char **out, gsize *out_size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Replaces `path` with `data` so that after a crash it is either the old or the new content. */
bool vend_file_replace (const char *path, const void *data, gsize size, int mode, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Makes `path` and its parents, mode 0700. */
bool vend_dir_ensure (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the entries of a directory durable. */
bool vend_dir_sync (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes a tree without following links; a missing one is fine. */
bool vend_tree_remove (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens `path` and takes an exclusive lock that dies with the process; BUSY when somebody has it.
 * `*out_fd` keeps the lock. */
bool vend_lock_file (const char *path, int *out_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
