/* Mounts that show files as those of another user. */
#include "base/idmap.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static bool
write_map (pid_t pid, const char *name, uid_t inside, uid_t outside)
{
  char path[64];
  char text[64];
  snprintf (path, sizeof path, "/proc/%d/%s", (int) pid, name);
  const int length = snprintf (text, sizeof text, "%u %u 1\n", inside, outside);
  vend_autofd fd = open (path, O_WRONLY | O_CLOEXEC);
  return fd >= 0 && write (fd, text, (size_t) length) == length;
}

/* Has a namespace of its own, and ends when the pipe closes. */
static pid_t
fork_holder (const int *ready, const int *done)
{
  const pid_t pid = fork ();
  if (pid != 0)
    return pid;
  char byte = 0;
  close (done[1]);
  if (unshare (CLONE_NEWUSER) == 0 && write (ready[1], &byte, 1) == 1)
    (void) !read (done[0], &byte, 1);
  _exit (0);
}

static int
open_namespace (pid_t pid, int ready, uid_t uid)
{
  char path[64];
  char byte;
  snprintf (path, sizeof path, "/proc/%d/ns/user", (int) pid);
  if (read (ready, &byte, 1) != 1)
    {
      errno = EPERM;
      return -1;
    }
  if (!write_map (pid, "uid_map", geteuid (), uid) || !write_map (pid, "gid_map", getegid (), uid))
    return -1;
  return open (path, O_RDONLY | O_CLOEXEC);
}

bool
vend_idmap_new (uid_t uid, int *out_fd, GError **error)
{
  int ready[2];
  int done[2];
  if (pipe2 (ready, O_CLOEXEC) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make a pipe");
  vend_autofd ready_read = ready[0];
  vend_autofd ready_write = ready[1];
  if (pipe2 (done, O_CLOEXEC) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make a pipe");
  vend_autofd done_read G_GNUC_UNUSED = done[0];
  vend_autofd done_write = done[1];
  const pid_t pid = fork_holder (ready, done);
  vend_fd_clear (&ready_write);
  const int fd = pid > 0 ? open_namespace (pid, ready_read, uid) : -1;
  const int number = errno;
  vend_fd_clear (&done_write);
  while (pid > 0 && waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, number, "make a user namespace for user %u",
                            (guint) uid);
  *out_fd = fd;
  return true;
}

int
vend_idmap_tree (const char *path, int idmap, bool recursive)
{
  const unsigned flags
      = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? (unsigned) AT_RECURSIVE : 0U);
  const int tree = (int) syscall (SYS_open_tree, AT_FDCWD, path, flags);
  if (tree < 0 || idmap < 0)
    return tree;
  struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned) idmap };
  (void) !syscall (SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
  return tree;
}

bool
vend_idmap_place (int tree, const char *target)
{
  const bool placed
      = syscall (SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) == 0;
  const int number = errno;
  close (tree);
  errno = number;
  return placed;
}
