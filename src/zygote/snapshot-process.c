/* Snapshots as processes. One function runs between fork and exec. */
#include "zygote/snapshot-process.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/idmap.h"
#include "zygote/snapshot-private.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIAL_TURNS 300
#define TURN_MS 100
#define MAX_WHY ((gsize) 400)

typedef struct
{
  const VendWorkspace *workspace;
  const VendCgroup *group;
} ChildSetup;

static void
prepare_child (void *data)
{
  const ChildSetup *setup = data;
  setsid ();
  if (setup->group != NULL && !vend_cgroup_enter (setup->group))
    _exit (1);
  if (!vend_workspace_enter (setup->workspace))
    _exit (1);
}

bool
vend_snapshot_workspace (const VendSnapshotOrder *order, const char *dir, char *const *argv,
                         char *const *env, VendWorkspace **out, GError **error)
{
  VendWorkspaceOptions options = { .dir = dir,
                                   .source = order->source,
                                   .read_only = order->read_only,
                                   .links = order->links,
                                   .argv = argv,
                                   .env = env,
                                   .is_bare = order->life != NULL,
                                   .owner = order->user,
                                   .idmap = -1 };
  g_autoptr (VendWorkspace) workspace = NULL;
  if (!vend_copy_kind_parse (order->working_copy, &options.kind))
    options.kind = VEND_COPY_AUTO;
  if (!vend_dir_ensure (dir, error)
      || (options.owner != 0 && !vend_idmap_new (options.owner, &options.idmap, error))
      || !vend_workspace_new (&options, &workspace, error))
    return false;
  const char *why = vend_workspace_why_no_mounts (workspace);
  if (why != NULL)
    return vend_fail (error, VEND_ERROR_RUNNER, "no place of its own: %s", why);
  if (!vend_workspace_copy (workspace, NULL, error))
    return false;
  *out = g_steal_pointer (&workspace);
  return true;
}

/* `fds` get the numbers from that of the link on. */
static bool
spawn (const VendSnapshotOrder *order, const char *dir, const char *const *argv, char *const *env,
       const int *fds, gsize n_fds, pid_t *out_pid, GError **error)
{
  static const int numbers[] = { VEND_SNAPSHOT_LINK_FD, VEND_SNAPSHOT_GUARD_FD };
  g_autoptr (VendWorkspace) workspace = NULL;
  g_autoptr (GError) problem = NULL;
  GPid pid = 0;
  g_assert (n_fds <= G_N_ELEMENTS (numbers));
  vend_autofd null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  if (null_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "open '/dev/null'");
  if (!vend_snapshot_workspace (order, dir, (char *const *) argv, env, &workspace, error))
    return false;
  ChildSetup setup = { .workspace = workspace, .group = order->group };
  if (!g_spawn_async_with_pipes_and_fds (
          NULL, argv, (const char *const *) env, G_SPAWN_DO_NOT_REAP_CHILD, prepare_child, &setup,
          null_fd, null_fd, null_fd, fds, numbers, n_fds, &pid, NULL, NULL, NULL, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "start '%s': %s", argv[0], problem->message);
  *out_pid = pid;
  return true;
}

static bool
make_link (int *out_own, int *out_theirs, GError **error)
{
  int ends[2];
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make a socket");
  *out_own = ends[0];
  *out_theirs = ends[1];
  return true;
}

static bool
start_here (const VendSnapshotOrder *order, const VendSnapshotEnds *ends, VendZygoteProcess *out,
            GError **error)
{
  g_autofree char *launcher = g_build_filename (order->scripts, "bin", "python", NULL);
  const char *const argv[] = { launcher, "-c", VEND_SNAPSHOT_ORDER, order->socket, NULL };
  const int fds[] = { ends->link, ends->guard };
  g_auto (GStrv) env
      = g_environ_setenv (g_strdupv ((char **) order->env), VEND_SNAPSHOT_MARK, order->dir, TRUE);
  return spawn (order, order->dir, argv, env, fds, G_N_ELEMENTS (fds), &out->pid, error);
}

bool
vend_snapshot_start (const VendSnapshotOrder *order, VendZygoteProcess *out, GError **error)
{
  vend_autofd own = -1;
  vend_autofd theirs = -1;
  int pipe_ends[2];
  *out = VEND_ZYGOTE_PROCESS_NONE;
  if (!make_link (&own, &theirs, error))
    return false;
  if (pipe2 (pipe_ends, O_CLOEXEC) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make a pipe");
  vend_autofd guarded = pipe_ends[0];
  vend_autofd guard = pipe_ends[1];
  const VendSnapshotEnds ends = { theirs, guarded };
  if (!(order->life != NULL ? vend_snapshot_start_in_room : start_here) (order, &ends, out, error))
    return false;
  out->link = vend_fd_steal (&own);
  out->guard = vend_fd_steal (&guard);
  return true;
}

/* ---- The trial */

static char *
read_verdict (int link, const gint *stops)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char chunk[512];
  for (guint turns = 0; turns < TRIAL_TURNS && g_atomic_int_get (stops) == 0; turns++)
    {
      struct pollfd waiting = { .fd = link, .events = POLLIN };
      if (poll (&waiting, 1, TURN_MS) <= 0)
        continue;
      const ssize_t n = read (link, chunk, sizeof chunk);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        break;
      if (text->len < MAX_WHY)
        g_string_append_len (text, chunk, MIN (n, (gssize) (MAX_WHY - text->len)));
      if (memchr (chunk, '\n', (size_t) n) != NULL)
        break;
    }
  g_strchomp (text->str);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static bool
try_here (const VendSnapshotOrder *order, int link, pid_t *out_pid, GError **error)
{
  g_autofree char *launcher = g_build_filename (order->scripts, "bin", "python", NULL);
  g_autofree char *script = g_build_filename (order->scripts, "trial.py", NULL);
  g_autofree char *report = g_build_filename (order->trial_dir, "start", NULL);
  const char *const argv[]
      = { order->python, "-I", script, VEND_TRIAL_SECONDS, launcher, report, NULL };
  g_auto (GStrv) env = g_environ_setenv (g_strdupv ((char **) order->env), VEND_SNAPSHOT_MARK,
                                         order->trial_dir, TRUE);
  env = g_environ_setenv (g_steal_pointer (&env), "VEND_LAUNCH_SNAPSHOT", order->socket, TRUE);
  env = g_environ_setenv (g_steal_pointer (&env), "VEND_LAUNCH_REPORT", report, TRUE);
  return spawn (order, order->trial_dir, argv, env, &link, 1, out_pid, error);
}

bool
vend_snapshot_try (const VendSnapshotOrder *order, const gint *stops, GError **error)
{
  vend_autofd own = -1;
  vend_autofd theirs = -1;
  vend_autofd control = -1;
  pid_t pid = 0;
  if (!make_link (&own, &theirs, error)
      || !(order->life != NULL ? vend_snapshot_try_in_room (order, theirs, &pid, &control, error)
                               : try_here (order, theirs, &pid, error)))
    return false;
  vend_fd_clear (&theirs);
  g_autofree char *verdict = read_verdict (own, stops);
  vend_fd_clear (&control);
  kill (pid, SIGKILL);
  while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
  if (strcmp (verdict, "fit") == 0)
    return true;
  g_autofree char *valid = g_utf8_make_valid (
      g_str_has_prefix (verdict, "unfit ") ? verdict + strlen ("unfit ") : "its trial ended", -1);
  return vend_fail (error, VEND_ERROR_RUNNER, "%s", valid);
}
