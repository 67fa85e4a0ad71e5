/* Rooms as processes. One function runs between fork and exec. */
#include "zygote/room-process.h"
#include "base/error.h"
#include "base/fd.h"
#include "sandbox/packet.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static void
prepare_child (void *data)
{
  const VendRoomStart *start = data;
  setsid ();
  if ((start->born_in != NULL && !vend_cgroup_enter (start->born_in))
      || (start->around != NULL && !vend_room_join (start->around))
      || (start->workspace != NULL && !vend_workspace_enter (start->workspace))
      || !vend_sandbox_enter (start->sandbox))
    _exit (127);
}

/* "pin" or "model", and who says so, by the kernel's word. */
static bool
hear (int control, const char *word, pid_t *out_sender, GError **error)
{
  VendPacket packet = { .fd = -1 };
  struct pollfd waiting = { .fd = control, .events = POLLIN };
  const bool is_told
      = poll (&waiting, 1, PATIENCE_MS) > 0 && vend_packet_receive (control, &packet);
  vend_fd_clear (&packet.fd);
  if (!is_told || packet.sender == 0 || strcmp (packet.text, word) != 0)
    return vend_fail (error, VEND_ERROR_RUNNER, "the room of the zygote cannot be made");
  *out_sender = packet.sender;
  return true;
}

bool
vend_room_process_new (const VendRoomStart *start, VendRoomProcess *out, GError **error)
{
  const char *const no_env[] = { NULL };
  GPid pid = 0;
  g_autoptr (GError) problem = NULL;
  vend_autofd null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  *out = (VendRoomProcess){ .process = -1, .control = -1 };
  if (null_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "open '/dev/null'");
  if (!g_spawn_async_with_pipes_and_fds (NULL, vend_sandbox_argv (start->sandbox), no_env,
                                         G_SPAWN_DO_NOT_REAP_CHILD, prepare_child, (void *) start,
                                         null_fd, null_fd, null_fd, NULL, NULL, 0, &pid, NULL, NULL,
                                         NULL, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "make a room: %s", problem->message);
  vend_sandbox_started (start->sandbox);
  out->pid = pid;
  out->control = vend_sandbox_take_control (start->sandbox);
  if (hear (out->control, "pin", &out->first, error))
    return true;
  vend_room_process_kill (out);
  return false;
}

bool
vend_room_process_go (VendRoomProcess *process, const VendCgroup *group, GError **error)
{
  (void) !send (process->control, "go", 2, MSG_NOSIGNAL);
  if (!hear (process->control, "model", &process->program, error))
    return false;
  process->process = (int) syscall (SYS_pidfd_open, process->program, 0);
  if (process->process < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "watch the zygote");
  if (!vend_cgroup_move (group, process->program, error))
    return false;
  (void) !send (process->control, "go", 2, MSG_NOSIGNAL);
  return true;
}

void
vend_room_process_kill (VendRoomProcess *process)
{
  if (process->first > 0)
    kill (process->first, SIGKILL);
  if (process->pid > 0)
    kill (process->pid, SIGKILL);
  while (process->pid > 0 && waitpid (process->pid, NULL, 0) < 0 && errno == EINTR)
    ;
  vend_fd_clear (&process->process);
  vend_fd_clear (&process->control);
  *process = (VendRoomProcess){ .process = -1, .control = -1 };
}

bool
vend_room_process_show (VendSandboxPaths *paths, const char *scripts, const char *python,
                        const char *home, uid_t user, char *const *env, GError **error)
{
  const char *shown = g_environ_getenv ((char **) env, "HOME");
  if (!vend_dir_ensure (home, error))
    return false;
  if (user != 0 && chown (home, user, user) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "give '%s' to the model", home);
  vend_sandbox_paths_read (paths, scripts, NULL);
  vend_sandbox_paths_python (paths, python);
  if (shown != NULL)
    vend_sandbox_paths_write (paths, home, shown);
  return true;
}
