/* Instances as plain processes: starts, finds and kills directors. Blocks on disk and fork. */
#include "runner/runner-process.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "cgroup/group.h"
#include "runner/process-identity.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_SPEC ((gsize) 4 << 20)
#define GROUP_PATIENCE_MS 2000
#define KILL_ROUNDS 20 /* a process may fork while the list is read */

static char *
director_pid_file (const char *dir)
{
  return g_build_filename (dir, "director.pid", NULL);
}

char *
vend_runner_process_socket (const char *dir)
{
  return g_build_filename (dir, "director.sock", NULL);
}

static json_t *
names_of (const json_t *secrets)
{
  json_t *names = json_array ();
  const char *name;
  json_t *value;
  json_object_foreach ((json_t *) secrets, name, value)
    json_array_append_new (names, json_string (name));
  return names;
}

/* A descriptor that the secrets can be read from, and that is nowhere in the file system. */
static bool
make_secrets (const json_t *secrets, int *out_fd, GError **error)
{
  vend_autofd fd = memfd_create ("secrets", MFD_CLOEXEC);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "hand over secrets");
  char *text = vend_json_text (secrets);
  const bool written = vend_fd_write_all (fd, text, strlen (text), error);
  explicit_bzero (text, strlen (text));
  g_free (text);
  if (!written)
    return false;
  if (lseek (fd, 0, SEEK_SET) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "hand over secrets");
  *out_fd = vend_fd_steal (&fd);
  return true;
}

static bool
write_spec (const char *dir, const json_t *spec, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (dir);
  g_autofree char *path = g_build_filename (dir, "spec.json", NULL);
  /* Values of secrets are on no disk; the director is handed them. */
  json_auto_t *written = json_copy ((json_t *) spec);
  const json_t *secrets = json_object_get (spec, "secrets");
  json_object_set_new (written, "secrets", names_of (secrets));
  g_autofree char *text = vend_json_text (written);
  return vend_dir_ensure (dir, error) && vend_dir_sync (parent, error)
         && vend_file_replace (path, text, strlen (text), 0600, error);
}

bool
vend_runner_process_start (const char *dir, const json_t *spec, const char *vend_binary,
                           pid_t *out_pid, GError **error)
{
  if (!write_spec (dir, spec, error))
    return false;

  g_autofree char *log_path = g_build_filename (dir, "director.log", NULL);
  vend_autofd log_fd = open (log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  vend_autofd null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  if (log_fd < 0 || null_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", log_path);

  vend_autofd secrets_fd = -1;
  const json_t *secrets = json_object_get (spec, "secrets");
  if (json_object_size (secrets) > 0 && !make_secrets (secrets, &secrets_fd, error))
    return false;
  const char *const argv[] = { vend_binary, "director", "--dir", dir, NULL };
  g_autoptr (GError) problem = NULL;
  GPid pid = 0;
  /* Without DO_NOT_REAP_CHILD GLib forks twice, so init (or a subreaper) becomes the parent. */
  if (!g_spawn_async_with_pipes_and_fds (NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                         secrets_fd >= 0 ? secrets_fd : null_fd, null_fd, log_fd,
                                         NULL, NULL, 0, &pid, NULL, NULL, NULL, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "start director: %s", problem->message);
  if (out_pid != NULL)
    *out_pid = pid;
  /* Roused now: the director uses the groups once it is loaded, which takes about as long. */
  g_autoptr (VendCgroups) bases = vend_cgroups_from_json (json_object_get (spec, "cgroups"));
  vend_cgroups_rouse (bases);
  return true;
}

bool
vend_runner_process_alive (const char *dir)
{
  g_autofree char *path = director_pid_file (dir);
  return vend_pid_file_alive (path, NULL);
}

/* The places of the groups are in the spec: this server may have been started elsewhere. */
bool
vend_runner_process_remove_groups (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "spec.json", NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  json_auto_t *spec = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_file_read (path, MAX_SPEC, &text, &size, NULL)
      || !vend_json_parse (text, size, &spec, NULL))
    return true;
  g_autoptr (VendCgroups) bases = vend_cgroups_from_json (json_object_get (spec, "cgroups"));
  const char *name = vend_json_string (spec, "instance");
  if (name == NULL || vend_cgroup_remove (bases, name, GROUP_PATIENCE_MS, &error))
    return true;
  vend_log (VEND_LOG_WARN, "a control group stays", "error", error->message, NULL);
  return false;
}

bool
vend_runner_process_kill (const char *dir)
{
  g_autofree char *path = director_pid_file (dir);
  bool killed = vend_pid_file_signal (path, SIGKILL) || vend_process_kill_directors (dir) > 0;
  for (guint i = 0; i < KILL_ROUNDS && vend_process_kill_marked (dir) > 0; i++)
    killed = true;
  (void) !vend_runner_process_remove_groups (dir);
  return killed;
}
