/* A snapshot in a room of its own, which is nested in that of the zygote it is forked from: only
 * what is in a descendant of the zygote's namespaces can be entered by the fork, and the sandboxes
 * of instances are nested in here for the same reason. The fork is looked at from outside before it
 * runs anything. */
#include "base/error.h"
#include "base/fd.h"
#include "sandbox/fork-check.h"
#include "sandbox/inside.h"
#include "sandbox/packet.h"
#include "sandbox/pin.h"
#include "zygote/room-process.h"
#include "zygote/snapshot-private.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 10000 /* the launcher has less */
#define TRIAL_REPORT "/tmp/start"
#define SLOTS "../../slots" /* from a working copy */

/* ---- Its fork */

static bool
take_fork (const VendSnapshotOrder *order, const VendForkPlace *place, VendPacket *packet,
           VendZygoteProcess *out, GError **error)
{
  const pid_t pid = vend_fork_number (packet->fd);
  if (pid == 0)
    return vend_fail (error, VEND_ERROR_RUNNER, "its fork has ended");
  if (!vend_fork_check (pid, place, error) || !vend_cgroup_move (order->group, pid, error))
    return false;
  out->zygote = pid;
  vend_fd_clear (&out->process);
  out->process = vend_fd_steal (&packet->fd);
  return true;
}

static bool
answer_fork (const VendSnapshotOrder *order, VendForkPlace *place, int check, VendPacket *packet,
             VendZygoteProcess *out, GError **error)
{
  place->launcher = packet->sender;
  const bool good = take_fork (order, place, packet, out, error);
  const char *answer = good ? "go" : "no it is not locked in";
  (void) !send (check, answer, strlen (answer), MSG_NOSIGNAL);
  return good;
}

/* What the launcher in there says (zygote/launcher-director.c). */
static bool
await_fork (const VendSnapshotOrder *order, VendForkPlace *place, int check, VendZygoteProcess *out,
            GError **error)
{
  static const char fast[] = "say fast";
  static const char plain[] = "say plain ";
  struct pollfd waiting = { .fd = check, .events = POLLIN };
  VendPacket packet;
  while (poll (&waiting, 1, PATIENCE_MS) > 0 && vend_packet_receive (check, &packet))
    {
      vend_autofd sent = packet.fd;
      if (strcmp (packet.text, "fork") == 0 && sent >= 0)
        {
          const bool good = answer_fork (order, place, check, &packet, out, error);
          sent = packet.fd;
          if (!good)
            return false;
        }
      else if (strcmp (packet.text, fast) == 0 && out->zygote != 0)
        return true;
      else if (g_str_has_prefix (packet.text, plain))
        return vend_fail (error, VEND_ERROR_RUNNER, "%s", packet.text + strlen (plain));
    }
  return vend_fail (error, VEND_ERROR_RUNNER, "the zygote of its imports does not answer");
}

/* ---- Its room */

static bool
show (const VendSnapshotOrder *order, const VendWorkspace *workspace, char *const *env,
      VendSandboxPaths *paths, GError **error)
{
  if (!vend_room_process_show (paths, order->scripts, order->python, order->home, order->user, env,
                               error))
    return false;
  vend_sandbox_paths_write (paths, vend_workspace_cwd (workspace), NULL);
  vend_sandbox_paths_weights (paths, order->links, env);
  return true;
}

/* What setup() asks for and a plain start would have is heard where the way out would be. */
static bool
watch_way_out (pid_t first, VendZygoteProcess *out, GError **error)
{
  VendInside *inside = NULL;
  if (!vend_inside_new (first, &inside, error))
    return false;
  const bool is_made = vend_inside_socket (inside, VEND_INSIDE_PROXY_PORT, &out->way_out, error);
  vend_inside_free (inside);
  return is_made;
}

typedef struct
{
  VendRoom *around;
  VendWorkspace *workspace;
  VendSandbox *sandbox;
} Place;

static void
place_clear (Place *place)
{
  vend_sandbox_free (place->sandbox);
  vend_workspace_free (place->workspace);
  vend_room_free (place->around);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static bool
start_room (const VendSnapshotOrder *order, const Place *place, int check, VendZygoteProcess *out,
            GError **error)
{
  const VendRoomStart start
      = { .sandbox = place->sandbox, .around = place->around, .workspace = place->workspace };
  VendRoomProcess room;
  if (!vend_room_process_new (&start, &room, error))
    return false;
  VendForkPlace at
      = { .first = room.first, .cwd = vend_workspace_cwd (place->workspace), .is_room = true };
  if ((order->has_proxy && !watch_way_out (room.first, out, error))
      || !vend_room_process_go (&room, order->group, error)
      || !await_fork (order, &at, check, out, error))
    {
      vend_room_process_kill (&room);
      return false;
    }
  vend_fd_clear (&room.process);
  vend_fd_clear (&room.control);
  out->pid = room.pid;
  out->first = room.first;
  return true;
}

static bool
prepare (const VendSnapshotOrder *order, const VendSnapshotEnds *ends, int listener, int check,
         int life, Place *place, GError **error)
{
  g_autofree char *launcher = g_build_filename (order->scripts, "bin", "python", NULL);
  g_autofree char *socket = g_strdup_printf ("fd:%d", VEND_SNAPSHOT_SOCKET_FD);
  char *const argv[] = { launcher, (char *) "-c", (char *) VEND_SNAPSHOT_ORDER, socket, NULL };
  g_autoptr (VendSandboxPaths) paths = vend_sandbox_paths_new ();
  g_auto (GStrv) env
      = g_environ_setenv (g_strdupv ((char **) order->env), VEND_SNAPSHOT_MARK, order->dir, TRUE);
  env = g_environ_setenv (g_steal_pointer (&env), "VEND_LAUNCH_CHECK", G_STRINGIFY (VEND_PIN_CHECK),
                          TRUE);
  if (!vend_room_open (order->around_life, order->around_first, &place->around, error)
      || !vend_snapshot_workspace (order, order->dir, argv, env, &place->workspace, error)
      || !show (order, place->workspace, env, paths, error))
    return false;
  const char *asked = g_environ_getenv (env, "VEND_LAUNCH_ZYGOTE");
  if (asked != NULL)
    vend_sandbox_paths_given (paths, asked, NULL);
  const VendSandboxFd fds[] = { { ends->link, VEND_SNAPSHOT_LINK_FD },
                                { ends->guard, VEND_SNAPSHOT_GUARD_FD },
                                { listener, VEND_SNAPSHOT_SOCKET_FD },
                                { check, VEND_PIN_CHECK } };
  const VendSandboxOptions options = { .kind = VEND_ISOLATION_SANDBOX,
                                       .network = VEND_NETWORK_NONE,
                                       .uid = order->user,
                                       .idmap = vend_workspace_idmap (place->workspace),
                                       .cwd = vend_workspace_cwd (place->workspace),
                                       .tmp = vend_workspace_tmp (place->workspace),
                                       .argv = argv,
                                       .env = env,
                                       .paths = paths,
                                       .fds = fds,
                                       .n_fds = G_N_ELEMENTS (fds),
                                       .room = place->around,
                                       .is_room = true,
                                       .life = life };
  return vend_sandbox_new (&options, &place->sandbox, error);
}

bool
vend_snapshot_start_in_room (const VendSnapshotOrder *order, const VendSnapshotEnds *ends,
                             VendZygoteProcess *out, GError **error)
{
  g_auto (Place) place = { NULL, NULL, NULL };
  vend_autofd listener = -1;
  vend_autofd inner = -1;
  vend_autofd check = -1;
  vend_autofd theirs = -1;
  if (order->around_life == NULL)
    return vend_fail (error, VEND_ERROR_RUNNER, "the zygote of its imports is gone");
  if (!vend_zygote_listen_at (order->socket, order->user, &listener, error)
      || !vend_packet_pair (&check, &theirs, error)
      || !vend_room_life_new (order->life, &out->life, &inner, error))
    return false;
  const bool is_prepared = prepare (order, ends, listener, theirs, inner, &place, error);
  vend_fd_clear (&theirs);
  if (is_prepared && start_room (order, &place, check, out, error))
    return true;
  vend_zygote_process_clear (out);
  *out = VEND_ZYGOTE_PROCESS_NONE;
  unlink (order->life);
  unlink (order->socket);
  return false;
}

/* ---- The trial */

static bool
show_trial (const VendSnapshotOrder *order, const VendWorkspace *workspace, char *const *env,
            VendSandboxPaths *paths, GError **error)
{
  g_autofree char *copy = g_build_filename (order->dir, "work", "src", NULL);
  g_autofree char *slots = g_build_filename (order->trial_dir, "slots", NULL);
  g_autofree char *shown = g_build_filename (order->dir, "slots", NULL);
  if (!show (order, workspace, env, paths, error) || !vend_dir_ensure (slots, error))
    return false;
  if (order->user != 0 && chown (slots, order->user, order->user) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "give '%s' to the model", slots);
  vend_sandbox_paths_write (paths, slots, NULL);
  vend_sandbox_paths_write (paths, slots, shown);
  vend_sandbox_paths_write (paths, vend_workspace_cwd (workspace), copy);
  vend_sandbox_paths_given (paths, order->socket, NULL);
  return true;
}

static bool
start_trial (const VendSnapshotOrder *order, const Place *place, pid_t *out_pid, int *out_control,
             GError **error)
{
  const VendRoomStart start = { .sandbox = place->sandbox,
                                .around = place->around,
                                .workspace = place->workspace,
                                .born_in = order->group };
  VendRoomProcess trial;
  if (!vend_room_process_new (&start, &trial, error))
    return false;
  if (!vend_room_process_go (&trial, NULL, error))
    {
      vend_room_process_kill (&trial);
      return false;
    }
  vend_fd_clear (&trial.process);
  *out_pid = trial.pid;
  *out_control = vend_fd_steal (&trial.control);
  return true;
}

bool
vend_snapshot_try_in_room (const VendSnapshotOrder *order, int link, pid_t *out_pid,
                           int *out_control, GError **error)
{
  g_auto (Place) place = { NULL, NULL, NULL };
  g_autoptr (VendSandboxPaths) paths = vend_sandbox_paths_new ();
  g_autofree char *launcher = g_build_filename (order->scripts, "bin", "python", NULL);
  g_autofree char *script = g_build_filename (order->scripts, "trial.py", NULL);
  char *const argv[]
      = { (char *) order->python, (char *) "-I",  script, (char *) VEND_TRIAL_SECONDS, launcher,
          (char *) TRIAL_REPORT,  (char *) SLOTS, NULL };
  g_auto (GStrv) env = g_environ_setenv (g_strdupv ((char **) order->env), VEND_SNAPSHOT_MARK,
                                         order->trial_dir, TRUE);
  env = g_environ_setenv (g_steal_pointer (&env), "VEND_LAUNCH_SNAPSHOT", order->socket, TRUE);
  env = g_environ_setenv (g_steal_pointer (&env), "VEND_LAUNCH_REPORT", TRIAL_REPORT, TRUE);
  env = g_environ_unsetenv (g_steal_pointer (&env), "VEND_LAUNCH_ZYGOTE");
  if (!vend_room_open (order->life, order->first, &place.around, error)
      || !vend_snapshot_workspace (order, order->trial_dir, argv, env, &place.workspace, error)
      || !show_trial (order, place.workspace, env, paths, error))
    return false;
  const VendSandboxFd fds[] = { { link, VEND_SNAPSHOT_LINK_FD } };
  const VendSandboxOptions options = { .kind = VEND_ISOLATION_SANDBOX,
                                       .network = VEND_NETWORK_NONE,
                                       .uid = order->user,
                                       .idmap = vend_workspace_idmap (place.workspace),
                                       .cwd = vend_workspace_cwd (place.workspace),
                                       .tmp = vend_workspace_tmp (place.workspace),
                                       .argv = argv,
                                       .env = env,
                                       .paths = paths,
                                       .fds = fds,
                                       .n_fds = G_N_ELEMENTS (fds),
                                       .room = place.around };
  return vend_sandbox_new (&options, &place.sandbox, error)
         && start_trial (order, &place, out_pid, out_control, error);
}
