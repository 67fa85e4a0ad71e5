/* A zygote in a room: a sandbox of the same class as those of its forks, without a network, without
 * folders of instances, and without GPUs. Blocks for some 20 ms. */
#include "base/error.h"
#include "base/fd.h"
#include "base/idmap.h"
#include "sandbox/room.h"
#include "zygote/zygote-process.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static void
prepare_child (void *data)
{
  setsid ();
  if (!vend_sandbox_enter (data))
    _exit (127);
}

/* "pin" or "model", and who says so, by the kernel's word. */
static bool
hear (int control, const char *word, pid_t *out_sender, GError **error)
{
  char text[64];
  union
  {
    char space[CMSG_SPACE (sizeof (struct ucred))];
    struct cmsghdr align;
  } space;
  struct iovec io = { text, sizeof text - 1 };
  struct msghdr message = { .msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = space.space,
                            .msg_controllen = sizeof space.space };
  struct pollfd waiting = { .fd = control, .events = POLLIN };
  struct ucred sender = { 0 };
  const ssize_t n = poll (&waiting, 1, PATIENCE_MS) > 0
                        ? recvmsg (control, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)
                        : -1;
  const struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR (&message) : NULL;
  text[MAX (n, 0)] = '\0';
  if (header == NULL || header->cmsg_type != SCM_CREDENTIALS || strcmp (text, word) != 0)
    return vend_fail (error, VEND_ERROR_RUNNER, "the room of the zygote cannot be made");
  memcpy (&sender, CMSG_DATA (header), sizeof sender);
  *out_sender = sender.pid;
  return true;
}

/* The first process stays out of the groups: it outlives the zygote while instances are in there.
 */
static bool
greet (const VendZygoteOrder *order, int control, VendZygoteProcess *out, GError **error)
{
  if (!hear (control, "pin", &out->first, error))
    return false;
  (void) !send (control, "go", 2, MSG_NOSIGNAL);
  if (!hear (control, "model", &out->zygote, error))
    return false;
  out->process = (int) syscall (SYS_pidfd_open, out->zygote, 0);
  if (out->process < 0 || !vend_cgroup_move (order->group, out->zygote, error))
    return error != NULL && *error != NULL
               ? false
               : vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "watch the zygote");
  (void) !send (control, "go", 2, MSG_NOSIGNAL);
  return true;
}

static bool
show (const VendZygoteOrder *order, VendSandboxPaths *paths, char *const *env, GError **error)
{
  const char *home = g_environ_getenv ((char **) env, "HOME");
  if (!vend_dir_ensure (order->home, error))
    return false;
  if (order->user != 0 && chown (order->home, order->user, order->user) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "give '%s' to the model", order->home);
  vend_sandbox_paths_read (paths, order->scripts, NULL);
  vend_sandbox_paths_read (paths, order->imports, NULL);
  vend_sandbox_paths_read (paths, order->unfit, NULL);
  vend_sandbox_paths_python (paths, order->python);
  if (home != NULL)
    vend_sandbox_paths_write (paths, order->home, home);
  return true;
}

static bool
spawn (const VendZygoteOrder *order, VendSandbox *sandbox, VendZygoteProcess *out, GError **error)
{
  const char *const no_env[] = { NULL };
  GPid pid = 0;
  g_autoptr (GError) problem = NULL;
  vend_autofd null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  vend_autofd control = vend_sandbox_take_control (sandbox);
  if (null_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "open '/dev/null'");
  if (!g_spawn_async_with_pipes_and_fds (
          NULL, vend_sandbox_argv (sandbox), no_env, G_SPAWN_DO_NOT_REAP_CHILD, prepare_child,
          sandbox, null_fd, null_fd, null_fd, NULL, NULL, 0, &pid, NULL, NULL, NULL, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "make a room: %s", problem->message);
  vend_sandbox_started (sandbox);
  if (greet (order, control, out, error))
    {
      out->pid = pid;
      return true;
    }
  if (out->first > 0)
    kill (out->first, SIGKILL);
  kill (pid, SIGKILL);
  while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
  return false;
}

bool
vend_zygote_start_in_room (const VendZygoteOrder *order, char *const *argv, char *const *env,
                           const VendSandboxFd *fds, guint n_fds, VendZygoteProcess *out,
                           GError **error)
{
  g_autoptr (VendSandboxPaths) paths = vend_sandbox_paths_new ();
  g_autoptr (VendSandbox) sandbox = NULL;
  vend_autofd idmap = -1;
  vend_autofd inner = -1;
  if ((order->user != 0 && !vend_idmap_new (order->user, &idmap, error))
      || !show (order, paths, env, error)
      || !vend_room_life_new (order->life, &out->life, &inner, error))
    return false;
  const VendSandboxOptions options = { .kind = VEND_ISOLATION_SANDBOX,
                                       .network = VEND_NETWORK_NONE,
                                       .uid = order->user,
                                       .idmap = idmap,
                                       .cwd = "/tmp",
                                       .argv = argv,
                                       .env = env,
                                       .paths = paths,
                                       .fds = fds,
                                       .n_fds = n_fds,
                                       .is_room = true,
                                       .life = inner };
  if (vend_sandbox_new (&options, &sandbox, error) && spawn (order, sandbox, out, error))
    return true;
  vend_zygote_process_clear (out);
  unlink (order->life);
  return false;
}
