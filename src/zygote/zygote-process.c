/* Zygotes as processes. One function runs between fork and exec. */
#include "zygote/zygote-process.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "zygote/zygote-files.h"
#include "zygote/zygote-group.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINK_FD 3
/* Room in which a fork shows the arguments and the environment of the process that it becomes. */
#define ARGUMENT_ROOM 512
#define ENVIRONMENT_ROOM (16 * 1024)
#define ENVIRONMENT_NAME "VEND_ZYGOTE_SPACE"
#define DIGEST_LENGTH 16
#define MAX_ROLLUP ((gsize) 8192)

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

/* Zygotes of an earlier run end by themselves; nobody is to wait for them until then. */
static void
remove_sockets (const char *dir)
{
  g_autoptr (GDir) listing = g_dir_open (dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    if (g_str_has_suffix (name, ".sock"))
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
vend_zygote_start (const VendZygoteOrder *order, pid_t *out_pid, int *out_link, GError **error)
{
  int ends[2];
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make a socket");
  vend_autofd own = ends[0];
  vend_autofd theirs = ends[1];
  vend_autofd null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  if (null_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "open '/dev/null'");

  g_autofree char *script = g_build_filename (order->scripts, "zygote.py", NULL);
  g_autofree char *room = g_strnfill (ARGUMENT_ROOM, '-');
  const char *const argv[]
      = { order->python, script, order->socket, order->imports, order->unfit, room, NULL };
  g_auto (GStrv) env = with_room (order->env);
  const int link_fd = LINK_FD;
  GPid pid = 0;
  g_autoptr (GError) problem = NULL;
  if (!g_spawn_async_with_pipes_and_fds (order->cwd, argv, (const char *const *) env,
                                         G_SPAWN_DO_NOT_REAP_CHILD, prepare_child,
                                         (void *) order->group, null_fd, null_fd, null_fd, &theirs,
                                         &link_fd, 1, &pid, NULL, NULL, NULL, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "start '%s': %s", order->python, problem->message);
  *out_pid = pid;
  *out_link = vend_fd_steal (&own);
  return true;
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
