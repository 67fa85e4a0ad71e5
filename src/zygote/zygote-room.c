/* A zygote in a room: a sandbox of the same class as those of its forks, without a network, without
 * folders of instances, and without GPUs. Blocks for some 20 ms. */
#include "base/fd.h"
#include "base/idmap.h"
#include "zygote/room-process.h"
#include "zygote/zygote-process.h"
#include <unistd.h>

static bool
spawn (const VendZygoteOrder *order, VendSandbox *sandbox, VendZygoteProcess *out, GError **error)
{
  const VendRoomStart start = { .sandbox = sandbox };
  VendRoomProcess room;
  if (!vend_room_process_new (&start, &room, error))
    return false;
  if (!vend_room_process_go (&room, order->group, error))
    {
      vend_room_process_kill (&room);
      return false;
    }
  vend_fd_clear (&room.control);
  out->pid = room.pid;
  out->first = room.first;
  out->zygote = room.program;
  out->process = room.process;
  return true;
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
      || !vend_room_process_show (paths, order->scripts, order->python, order->home, order->user,
                                  env, error)
      || !vend_room_life_new (order->life, &out->life, &inner, error))
    return false;
  vend_sandbox_paths_read (paths, order->imports, NULL);
  vend_sandbox_paths_read (paths, order->unfit, NULL);
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
