/* Descriptors, files and directories: whole writes, durable replaces, bounded reads. Blocks on
 * disk; not for the core thread, unless a function says otherwise. */
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

/* A descriptor that is closed at the end of its scope; hand it on with vend_fd_steal. */
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

/* Copies `size` bytes from the position of `from` to the position of `to`, on any file systems. The
 * kernel copies where it can. Fewer bytes are an error. */
bool vend_fd_copy (int from, int to, uint64_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The rest of `fd` as text, at most `limit` bytes (else TOO_LARGE); errors name `name`. Free with
 * g_free. */
bool vend_fd_read_all (int fd, const char *name, gsize limit, char **out, gsize *out_size,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whole file as text, at most `limit` bytes (else TOO_LARGE). Free with g_free. */
bool vend_file_read (const char *path, gsize limit, char **out, gsize *out_size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Replaces `path` with `data`: after a crash the content is either the old or the new. */
bool vend_file_replace (const char *path, const void *data, gsize size, int mode, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Makes `path` and its parents, mode 0700. */
bool vend_dir_ensure (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the entries of a directory durable. */
bool vend_dir_sync (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes a tree without following links; a missing tree is fine. */
bool vend_tree_remove (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes what lies in `path`, where others may write at the same time: by descriptors, so no link
 * leads it out. */
bool vend_tree_clear (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens `path` and takes an exclusive lock that ends with the process; BUSY when another process
 * has the lock. `*out_fd` keeps the lock. */
bool vend_lock_file (const char *path, int *out_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
