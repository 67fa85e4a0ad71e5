/* Instances as processes of this machine. An instance is a directory of its id: the spec, the
 * socket and the journal of its director, the folders of its model. */
#include "runner/runner-process.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "cgroup/group.h"
#include "runner/journal.h"
#include "runner/process-identity.h"
#include "runner/process-usage.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_SPEC ((gsize) 4 << 20)
#define GROUP_PATIENCE_MS 2000
#define KILL_ROUNDS 20 /* a process may fork while the list is read */

typedef struct
{
  VendRunner table; /* first */
  char *dir;
  char *vend_binary;
  pthread_mutex_t lock;
  GHashTable
      *young; /* id → Young (owned) of directors without a record of their own yet; guarded */
} ProcessRunner;

typedef struct
{
  pid_t pid;
  uint64_t start_time;
} Young;

static char *
dir_of (const VendRunner *runner, const char *id)
{
  return g_build_filename (((const ProcessRunner *) runner)->dir, id, NULL);
}

static char *
file_of (const VendRunner *runner, const char *id, const char *name)
{
  return g_build_filename (((const ProcessRunner *) runner)->dir, id, name, NULL);
}

/* ---- Young directors */

static void
note_young (ProcessRunner *self, const char *id, pid_t pid)
{
  Young young = { .pid = pid };
  /* One that has ended already is no life. */
  if (!vend_process_start_time (pid, &young.start_time))
    return;
  pthread_mutex_lock (&self->lock);
  g_hash_table_insert (self->young, g_strdup (id), g_memdup2 (&young, sizeof young));
  pthread_mutex_unlock (&self->lock);
}

static void
forget_young (ProcessRunner *self, const char *id)
{
  pthread_mutex_lock (&self->lock);
  g_hash_table_remove (self->young, id);
  pthread_mutex_unlock (&self->lock);
}

/* A signal of 0 asks whether it lives. */
static bool
signal_young (ProcessRunner *self, const char *id, int signal_number)
{
  pthread_mutex_lock (&self->lock);
  const Young *found = g_hash_table_lookup (self->young, id);
  const Young young = found != NULL ? *found : (Young){ 0 };
  pthread_mutex_unlock (&self->lock);
  return found != NULL && vend_process_signal (young.pid, young.start_time, signal_number);
}

/* ---- Start */

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
ensure_dir (const ProcessRunner *self, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (self->dir);
  return g_file_test (self->dir, G_FILE_TEST_IS_DIR)
         || (vend_dir_ensure (self->dir, error) && vend_dir_sync (parent, error));
}

static bool
write_spec (const ProcessRunner *self, const char *dir, const json_t *spec, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "spec.json", NULL);
  /* Values of secrets are on no disk; the director is handed them. */
  g_autofree char *text = vend_runner_kept_spec (spec);
  return ensure_dir (self, error) && vend_dir_ensure (dir, error)
         && vend_dir_sync (self->dir, error)
         && vend_file_replace (path, text, strlen (text), 0600, error);
}

/* Values of secrets by their names, and the uplink, whose name is none of theirs. */
static json_t *
handed_over (const json_t *spec)
{
  json_t *uplink = json_object_get (spec, VEND_RUNNER_UPLINK);
  const json_t *secrets = json_object_get (spec, "secrets");
  json_t *all = secrets != NULL ? json_copy ((json_t *) secrets) : json_object ();
  if (uplink != NULL)
    json_object_set (all, VEND_RUNNER_UPLINK, uplink);
  return all;
}

static bool
spawn (const ProcessRunner *self, const char *dir, const json_t *secrets, GPid *out_pid,
       GError **error)
{
  g_autofree char *log_path = g_build_filename (dir, "director.log", NULL);
  vend_autofd log_fd = open (log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  vend_autofd null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  if (log_fd < 0 || null_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", log_path);

  vend_autofd secrets_fd = -1;
  if (json_object_size (secrets) > 0 && !make_secrets (secrets, &secrets_fd, error))
    return false;
  const char *const argv[] = { self->vend_binary, "director", "--dir", dir, NULL };
  g_autoptr (GError) problem = NULL;
  /* Without DO_NOT_REAP_CHILD GLib forks twice, so init (or a subreaper) becomes the parent: the
   * director outlives this process and leaves no zombie. */
  return g_spawn_async_with_pipes_and_fds (NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                           secrets_fd >= 0 ? secrets_fd : null_fd, null_fd, log_fd,
                                           NULL, NULL, 0, out_pid, NULL, NULL, NULL, &problem)
         || vend_fail (error, VEND_ERROR_RUNNER, "start director: %s", problem->message);
}

static bool
start (VendRunner *runner, const char *id, const json_t *spec, GError **error)
{
  ProcessRunner *self = (ProcessRunner *) runner;
  g_autofree char *dir = dir_of (runner, id);
  json_auto_t *secrets = handed_over (spec);
  GPid pid = 0;
  if (!write_spec (self, dir, spec, error) || !spawn (self, dir, secrets, &pid, error))
    return false;
  note_young (self, id, pid);
  /* Roused now: the director uses the groups once it is loaded, which takes about as long. */
  g_autoptr (VendCgroups) bases = vend_cgroups_from_json (json_object_get (spec, "cgroups"));
  vend_cgroups_rouse (bases);
  return true;
}

/* ---- While it lives */

static bool
connect_to (VendRunner *runner, const char *id, GMainContext *context, gsize limit,
            const VendLinkEvents *events, void *context_data, VendLink **out, GError **error)
{
  g_autofree char *path = file_of (runner, id, "director.sock");
  if (!vend_link_connect (context, path, limit, events, context_data, out, error))
    return false;
  /* It has recorded its identity before it listens; its own record tells reused pids apart. */
  forget_young ((ProcessRunner *) runner, id);
  return true;
}

static bool
is_alive (VendRunner *runner, const char *id)
{
  g_autofree char *path = file_of (runner, id, "director.pid");
  return vend_pid_file_alive (path, NULL) || signal_young ((ProcessRunner *) runner, id, 0);
}

/* All that it needs is here. */
static bool
is_preparing (VendRunner *runner, const char *id)
{
  return false;
}

/* ---- The end */

/* Kills the remaining processes in the control groups and removes the groups. Their places are in
 * the spec: this server may have been started elsewhere. */
static bool
remove_groups (const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "spec.json", NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  json_auto_t *spec = NULL;
  if (!vend_file_read (path, MAX_SPEC, &text, &size, NULL)
      || !vend_json_parse (text, size, &spec, NULL))
    return true;
  g_autoptr (VendCgroups) bases = vend_cgroups_from_json (json_object_get (spec, "cgroups"));
  const char *name = vend_json_string (spec, "instance");
  return name == NULL || vend_cgroup_remove (bases, name, GROUP_PATIENCE_MS, error);
}

static void
end (VendRunner *runner, const char *id)
{
  g_autofree char *dir = dir_of (runner, id);
  g_autofree char *path = file_of (runner, id, "director.pid");
  g_autoptr (GError) error = NULL;
  if (!vend_pid_file_signal (path, SIGKILL)
      && !signal_young ((ProcessRunner *) runner, id, SIGKILL))
    vend_process_kill_directors (dir);
  for (guint i = 0; i < KILL_ROUNDS && vend_process_kill_marked (dir) > 0; i++)
    ;
  forget_young ((ProcessRunner *) runner, id);
  if (!remove_groups (dir, &error))
    vend_log (VEND_LOG_WARN, "a control group stays", "error", error->message, NULL);
}

typedef struct
{
  VendRunnerResult found;
  void *data;
} Results;

static void
found_entry (const char *key, json_t *completed, void *data)
{
  const Results *results = data;
  results->found (completed, results->data);
}

static bool
read_results (VendRunner *runner, const char *id, VendRunnerResult found, void *data,
              GError **error)
{
  g_autofree char *dir = dir_of (runner, id);
  Results results = { found, data };
  return vend_journal_scan (dir, found_entry, &results, error);
}

static bool
remove_instance (VendRunner *runner, const char *id, GError **error)
{
  g_autofree char *dir = dir_of (runner, id);
  /* While its groups are left, the directory stays: nothing else names them. */
  return remove_groups (dir, error) && vend_tree_remove (dir, error);
}

/* ---- All of them */

static bool
list_names (const ProcessRunner *self, GPtrArray *names, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GDir) listing = g_dir_open (self->dir, 0, &problem);
  if (listing == NULL && !g_error_matches (problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return vend_fail (error, VEND_ERROR_STORAGE, "%s", problem->message);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    g_ptr_array_add (names, g_strdup (name));
  return true;
}

static bool
list (VendRunner *runner, VendRunnerFound found, void *data, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  if (!list_names ((const ProcessRunner *) runner, names, error))
    return false;
  bool goes_on = true;
  for (guint i = 0; goes_on && i < names->len; i++)
    {
      const char *id = g_ptr_array_index (names, i);
      g_autofree char *path = file_of (runner, id, "spec.json");
      g_autofree char *spec = NULL;
      g_autoptr (GError) problem = NULL;
      const bool is_read = vend_file_read (path, MAX_SPEC, &spec, NULL, &problem);
      goes_on = found (id, is_read ? spec : NULL, problem, data);
    }
  return true;
}

static GHashTable *
usage (VendRunner *runner)
{
  return vend_process_usage (((const ProcessRunner *) runner)->dir);
}

typedef struct
{
  VendRunner *runner;
  VendRunnerSeen seen;
  void *data;
} Looking;

static void
seen_process (pid_t pid, bool is_director, const char *dir, void *data)
{
  const Looking *looking = data;
  g_autofree char *id = g_path_get_basename (dir);
  g_autofree char *number = g_strdup_printf ("%d", (int) pid);
  const VendRunnerProcess process = { .name = number,
                                      .instance = id,
                                      .is_director = is_director,
                                      .is_kept = g_file_test (dir, G_FILE_TEST_IS_DIR),
                                      .has_director = is_alive (looking->runner, id) };
  looking->seen (&process, looking->data);
}

static void
processes (VendRunner *runner, VendRunnerSeen seen, void *data)
{
  Looking looking = { runner, seen, data };
  vend_process_each (((const ProcessRunner *) runner)->dir, seen_process, &looking);
}

/* ---- Files */

static bool
has_file (const VendRunner *runner, const char *path)
{
  const char *dir = ((const ProcessRunner *) runner)->dir;
  const gsize length = strlen (dir);
  return strncmp (path, dir, length) == 0 && path[length] == '/' && strstr (path, "/../") == NULL;
}

/* ---- Life */

static void
free_runner (VendRunner *runner)
{
  ProcessRunner *self = (ProcessRunner *) runner;
  g_hash_table_unref (self->young);
  pthread_mutex_destroy (&self->lock);
  g_free (self->dir);
  g_free (self->vend_binary);
  g_free (self);
}

VendRunner *
vend_runner_process_new (const char *dir, const char *vend_binary)
{
  ProcessRunner *self = g_new0 (ProcessRunner, 1);
  self->table = (VendRunner){ .start = start,
                              .connect = connect_to,
                              .is_alive = is_alive,
                              .is_preparing = is_preparing,
                              .end = end,
                              .read_results = read_results,
                              .remove = remove_instance,
                              .list = list,
                              .usage = usage,
                              .processes = processes,
                              .has_file = has_file,
                              .folder = dir_of,
                              .free = free_runner };
  self->dir = g_strdup (dir);
  self->vend_binary = g_strdup (vend_binary);
  self->young = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  pthread_mutex_init (&self->lock, NULL);
  return &self->table;
}
