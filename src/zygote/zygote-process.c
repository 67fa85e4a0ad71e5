/* Zygotes as processes. One function runs between fork and exec. */
#include "zygote/zygote-process.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "sandbox/filter.h"
#include "zygote/zygote-files.h"
#include "zygote/zygote-group.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LINK_FD 3
#define SOCKET_FD 4
#define ORDERS_FD 5
/* Room in which a fork shows the arguments and the environment of the process that it becomes. */
#define ARGUMENT_ROOM 512
#define ENVIRONMENT_ROOM (16 * 1024)
#define ENVIRONMENT_NAME "VEND_ZYGOTE_SPACE"
#define DIGEST_LENGTH 16
#define MAX_ROLLUP ((gsize) 8192)
#define MAX_FILTER ((gsize) 64 * 1024)

/* ---- Files */

static char *
files_digest (void)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  for (const VendEmbeddedFile *file = vend_zygote_files; file->name != NULL; file++)
    {
      g_byte_array_append (all, (const guint8 *) file->name, (guint) strlen (file->name) + 1);
      g_byte_array_append (all, file->data, (guint) file->size);
    }
  g_autofree char *digest = vend_sha256_hex (all->data, all->len);
  return g_strndup (digest, DIGEST_LENGTH);
}

static bool
write_files (const char *folder, GError **error)
{
  g_autofree char *bin = g_build_filename (folder, "bin", NULL);
  if (!vend_dir_ensure (bin, error))
    return false;
  for (const VendEmbeddedFile *file = vend_zygote_files; file->name != NULL; file++)
    {
      const bool is_launcher = file == vend_zygote_files;
      g_autofree char *path = g_build_filename (is_launcher ? bin : folder,
                                                is_launcher ? "python" : file->name, NULL);
      if (!g_file_test (path, G_FILE_TEST_EXISTS)
          && !vend_file_replace (path, file->data, file->size, is_launcher ? 0700 : 0600, error))
        return false;
    }
  return true;
}

/* For forks in sandboxes. It is not only this program that decides what is in it. */
static bool
write_filter (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "filter", NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  int fd = -1;
  if (!vend_sandbox_filter (VEND_FILTER_MODEL, &fd, error))
    return false;
  vend_autofd filter = fd;
  return vend_fd_read_all (filter, "filter", MAX_FILTER, &text, &size, error)
         && vend_file_replace (path, text, size, 0600, error);
}

/* Zygotes of an earlier run end by themselves; nobody is to wait for them until then. Their rooms
 * stay while instances live there. */
static void
remove_sockets (const char *dir)
{
  g_autoptr (GDir) listing = g_dir_open (dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    if (g_str_has_suffix (name, ".sock") || g_str_has_suffix (name, ".room"))
      {
        g_autofree char *path = g_build_filename (dir, name, NULL);
        unlink (path);
      }
}

bool
vend_zygote_install (const char *dir, char **out_scripts, GError **error)
{
  g_autofree char *digest = files_digest ();
  g_autofree char *folder = g_build_filename (dir, digest, NULL);
  if (!write_files (folder, error))
    return false;
  if (!write_filter (folder, error))
    return false;
  vend_zygote_groups_sweep (dir);
  remove_sockets (dir);
  *out_scripts = g_steal_pointer (&folder);
  return true;
}

/* ---- Processes */

/* Imports do not run outside of the group: the end tells that it is none. */
static void
prepare_child (void *data)
{
  const VendCgroup *group = data;
  setsid ();
  if (group != NULL && !vend_cgroup_enter (group))
    _exit (1);
}

static char **
with_room (char *const *env)
{
  g_autofree char *room = g_strnfill (ENVIRONMENT_ROOM, '-');
  return g_environ_setenv (g_strdupv ((char **) env), ENVIRONMENT_NAME, room, TRUE);
}

bool
vend_zygote_listen_at (const char *path, uid_t user, int *out_fd, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  /* Any folder makes a short address that way. */
  vend_autofd at = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  vend_autofd fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  unlink (path);
  const int length
      = g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", at, name);
  if (at < 0 || fd < 0 || (gsize) length >= sizeof address.sun_path
      || bind (fd, (const struct sockaddr *) &address, sizeof address) < 0
      || (user != 0 && chown (path, user, user) < 0))
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "listen at '%s'", path);
  *out_fd = vend_fd_steal (&fd);
  return true;
}

static bool
start_in_room (const VendZygoteOrder *order, const char *script, char *const *env, int link,
               VendZygoteProcess *out, GError **error)
{
  vend_autofd listener = -1;
  vend_autofd orders = -1;
  g_autofree char *room = g_strnfill (ARGUMENT_ROOM, '-');
  g_autofree char *socket = g_strdup_printf ("fd:%d,%d", SOCKET_FD, ORDERS_FD);
  const char *const argv[]
      = { order->python, script, socket, order->imports, order->unfit, room, NULL };
  if (!vend_zygote_listen_at (order->socket, order->user, &listener, error)
      || !vend_zygote_listen_at (order->orders, order->user, &orders, error))
    return false;
  const VendSandboxFd fds[] = { { link, LINK_FD }, { listener, SOCKET_FD }, { orders, ORDERS_FD } };
  return vend_zygote_start_in_room (order, (char *const *) argv, env, fds, G_N_ELEMENTS (fds), out,
                                    error);
}

static bool
start_here (const VendZygoteOrder *order, const char *script, char *const *env, int link,
            VendZygoteProcess *out, GError **error)
{
  vend_autofd null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  g_autofree char *room = g_strnfill (ARGUMENT_ROOM, '-');
  const char *const argv[]
      = { order->python, script, order->socket, order->imports, order->unfit, room, NULL };
  const int link_fd = LINK_FD;
  GPid pid = 0;
  g_autoptr (GError) problem = NULL;
  if (null_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "open '/dev/null'");
  if (!g_spawn_async_with_pipes_and_fds (order->cwd, argv, (const char *const *) env,
                                         G_SPAWN_DO_NOT_REAP_CHILD, prepare_child,
                                         (void *) order->group, null_fd, null_fd, null_fd, &link,
                                         &link_fd, 1, &pid, NULL, NULL, NULL, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "start '%s': %s", order->python, problem->message);
  out->pid = pid;
  return true;
}

bool
vend_zygote_start (const VendZygoteOrder *order, VendZygoteProcess *out, GError **error)
{
  int ends[2];
  *out = VEND_ZYGOTE_PROCESS_NONE;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make a socket");
  vend_autofd own = ends[0];
  vend_autofd theirs = ends[1];
  g_autofree char *script = g_build_filename (order->scripts, "zygote.py", NULL);
  g_auto (GStrv) env = with_room (order->env);
  if (!(order->life != NULL ? start_in_room : start_here) (order, script, env, theirs, out, error))
    return false;
  out->link = vend_fd_steal (&own);
  return true;
}

void
vend_zygote_process_clear (VendZygoteProcess *process)
{
  vend_fd_clear (&process->link);
  vend_fd_clear (&process->process);
  vend_fd_clear (&process->life);
  vend_fd_clear (&process->guard);
  vend_fd_clear (&process->way_out);
}

uint64_t
vend_zygote_memory (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/smaps_rollup", (int) pid);
  g_autofree char *text = NULL;
  if (!vend_file_read (path, MAX_ROLLUP, &text, NULL, NULL))
    return 0;
  const char *line = strstr (text, "\nPss:");
  return line != NULL ? g_ascii_strtoull (line + strlen ("\nPss:"), NULL, 10) * 1024 : 0;
}
