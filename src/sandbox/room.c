/* The way into a room. For a server that is root: the process namespace first, mounts of the
 * instance by root's rights, then its user, and the room's user namespace last. For others the
 * owner of the room has the same rights in its namespaces. */
#include "sandbox/room.h"
#include "base/error.h"
#include "base/fd.h"
#include "sandbox/pin.h"
#include "sandbox/sandbox-private.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct VendRoom
{
  int life;
  int process; /* a pidfd of its first process */
  int processes;
  int owner; /* the user namespace that the former belongs to */
  int user;  /* the one that those in the room are in */
  int program;
  bool is_root;
};

/* ---- Its life */

bool
vend_room_life_new (const char *path, int *out_held, int *out_inner, GError **error)
{
  unlink (path);
  if (mkfifo (path, 0600) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make '%s'", path);
  vend_autofd inner = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  vend_autofd held = inner >= 0 ? open (path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) : -1;
  if (held < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "open '%s'", path);
  *out_inner = vend_fd_steal (&inner);
  *out_held = vend_fd_steal (&held);
  return true;
}

static int
open_space (pid_t process, const char *name)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/ns/%s", (int) process, name);
  return open (path, O_RDONLY | O_CLOEXEC);
}

static bool
open_all (VendRoom *room, const char *path, pid_t first)
{
  /* Its first process alone reads there, so while this opens the number is its own. */
  room->life = open (path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (room->life < 0)
    return false;
  room->process = (int) syscall (SYS_pidfd_open, first, 0);
  room->processes = open_space (first, "pid");
  room->user = open_space (first, "user");
  if (room->process < 0 || room->processes < 0 || room->user < 0)
    return false;
  room->owner = ioctl (room->processes, NS_GET_USERNS);
  if (room->owner < 0)
    return false;
  fcntl (room->owner, F_SETFD, FD_CLOEXEC);
  room->program = vend_sandbox_program ();
  return room->program >= 0;
}

bool
vend_room_open (const char *path, pid_t first, VendRoom **out, GError **error)
{
  g_autoptr (VendRoom) room = g_new (VendRoom, 1);
  *room = (VendRoom){ -1, -1, -1, -1, -1, -1, geteuid () == 0 };
  if (!open_all (room, path, first) || vend_room_has_ended (room))
    return vend_fail (error, VEND_ERROR_RUNNER, "the room of its zygote is gone");
  *out = g_steal_pointer (&room);
  return true;
}

void
vend_room_free (VendRoom *room)
{
  if (room == NULL)
    return;
  vend_fd_clear (&room->life);
  vend_fd_clear (&room->process);
  vend_fd_clear (&room->processes);
  vend_fd_clear (&room->owner);
  vend_fd_clear (&room->user);
  vend_fd_clear (&room->program);
  g_free (room);
}

bool
vend_room_has_ended (const VendRoom *room)
{
  struct pollfd end = { .fd = room->process, .events = POLLIN };
  return poll (&end, 1, 0) != 0;
}

int
vend_room_life (const VendRoom *room)
{
  return room->life;
}

/* ---- In the child */

static void __attribute__ ((noreturn))
stand_outside (const VendRoom *room)
{
  char *const argv[] = { (char *) "vend-room", (char *) VEND_PIN_WAIT, NULL };
  char *const env[] = { NULL };
  syscall (SYS_execveat, room->program, "", argv, env, AT_EMPTY_PATH);
  _exit (127);
}

static bool
show (void)
{
  return mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
         && mount ("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
}

bool
vend_room_join (const VendRoom *room)
{
  const pid_t parent = getppid ();
  if (!room->is_root && setns (room->owner, CLONE_NEWUSER) < 0)
    return false;
  if (setns (room->processes, CLONE_NEWPID) < 0 || (!room->is_root && unshare (CLONE_NEWNS) < 0))
    return false;
  /* After the namespaces: entering them clears it. */
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (getppid () != parent)
    return false;
  const pid_t pid = fork ();
  if (pid > 0)
    stand_outside (room);
  return pid == 0 && (room->is_root || (show () && setns (room->user, CLONE_NEWUSER) == 0));
}

bool
vend_room_show (const VendRoom *room)
{
  return !room->is_root || show ();
}

bool
vend_room_enter (const VendRoom *room)
{
  return !room->is_root || setns (room->user, CLONE_NEWUSER) == 0;
}
