/* Instances on all machines: those of this one by the runner that is handed over, the others by
 * questions to the agents of their machines. Each of the others has a folder here too: its spec,
 * and output files on their way to the file store. */
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "httpd/tls-client.h"
#include "machines/machines-private.h"
#include <string.h>

#define MAX_SPEC ((gsize) 4 << 20)
#define SPEC "spec.json"
#define INSTANCE_DAYS 400
/* An agent answers at once, but for results, which bring their files along. */
#define ANSWER_S 20
#define RESULTS_S 600

typedef struct
{
  VendRunner table; /* first */
  VendMachines *machines;
} MachinesRunner;

static VendMachines *
machines_of (const VendRunner *runner)
{
  return ((const MachinesRunner *) runner)->machines;
}

static VendRunner *
local_of (const VendRunner *runner)
{
  return machines_of (runner)->local;
}

char *
machines_folder (const VendMachines *machines, const char *id)
{
  return g_build_filename (machines->dir, "instances", id, NULL);
}

/* NULL: it is on this machine, or nowhere. Free with g_free. */
static char *
machine_of (VendMachines *machines, const char *id)
{
  pthread_mutex_lock (&machines->lock);
  const Entry *entry = g_hash_table_lookup (machines->entries, id);
  char *name = entry != NULL ? g_strdup (entry->machine) : NULL;
  pthread_mutex_unlock (&machines->lock);
  return name;
}

static json_t *
question_about (const char *what, const char *id)
{
  return json_pack ("{s:s, s:s}", "do", what, "instance", id);
}

/* ---- Start */

static bool
keep_spec (const VendMachines *machines, const char *id, const json_t *spec, GError **error)
{
  g_autofree char *folder = machines_folder (machines, id);
  g_autofree char *parent = g_path_get_dirname (folder);
  g_autofree char *path = g_build_filename (folder, SPEC, NULL);
  g_autofree char *text = vend_runner_kept_spec (spec);
  return vend_dir_ensure (folder, error) && vend_dir_sync (parent, error)
         && vend_dir_sync (machines->dir, error)
         && vend_file_replace (path, text, strlen (text), 0600, error);
}

static void
add_entry (VendMachines *machines, const char *id, const json_t *spec, Life life)
{
  Entry *entry = machines_entry_new (id, spec);
  entry->trees = machines_spec_trees (machines->data_dir, spec);
  entry->life = life;
  entry->is_told = life == LIFE_ALIVE;
  pthread_mutex_lock (&machines->lock);
  g_hash_table_replace (machines->entries, entry->id, entry);
  pthread_mutex_unlock (&machines->lock);
}

static json_t *
texts_of (const GPtrArray *texts)
{
  json_t *list = json_array ();
  for (guint i = 0; i < texts->len; i++)
    json_array_append_new (list, json_string (g_ptr_array_index (texts, i)));
  return list;
}

/* With a key of its own, which is in memory alone on the way. */
static bool
make_question (const VendMachines *machines, const char *id, const json_t *spec, json_t **out,
               GError **error)
{
  g_autofree char *name = vend_exchange_peer_name (VEND_PEER_INSTANCE, id);
  g_autofree char *certificate = NULL;
  char *key = NULL;
  if (!vend_tls_client_new (machines->authority_dir, name, INSTANCE_DAYS, &certificate, &key,
                            error))
    return false;
  g_autoptr (GPtrArray) trees = machines_spec_trees (machines->data_dir, spec);
  json_t *question = question_about ("start", id);
  json_object_set_new (question, "spec", machines_spec_portable (machines->data_dir, spec));
  json_object_set_new (question, "trees", texts_of (trees));
  vend_json_set_string (question, "certificate", certificate);
  vend_json_set_string (question, "key", key);
  explicit_bzero (key, strlen (key));
  g_free (key);
  *out = question;
  return true;
}

static void
note_told (VendMachines *machines, const char *id, bool is_good)
{
  pthread_mutex_lock (&machines->lock);
  Entry *entry = g_hash_table_lookup (machines->entries, id);
  if (entry != NULL)
    {
      Machine *machine = machines_find (machines, entry->machine);
      entry->is_told = is_good;
      entry->life = is_good ? entry->life : LIFE_GONE;
      if (is_good && machine != NULL && entry->version != NULL)
        g_hash_table_add (machine->versions, g_strdup (entry->version));
    }
  pthread_mutex_unlock (&machines->lock);
}

static bool
start (VendRunner *runner, const char *id, const json_t *spec, GError **error)
{
  VendMachines *machines = machines_of (runner);
  const char *name = vend_json_string (spec, VEND_MACHINE_MEMBER);
  json_t *question = NULL;
  if (name == NULL)
    return local_of (runner)->start (local_of (runner), id, spec, error);
  if (!keep_spec (machines, id, spec, error)
      || !make_question (machines, id, spec, &question, error))
    return false;
  add_entry (machines, id, spec, LIFE_PREPARING);
  const bool good = machines_ask (machines, name, question, ANSWER_S, NULL, error);
  note_told (machines, id, good);
  return good;
}

/* ---- While it lives */

static bool
connect_to (VendRunner *runner, const char *id, GMainContext *context, gsize limit,
            const VendLinkEvents *events, void *context_data, VendLink **out, GError **error)
{
  VendMachines *machines = machines_of (runner);
  int fd = -1;
  pthread_mutex_lock (&machines->lock);
  Entry *entry = g_hash_table_lookup (machines->entries, id);
  const bool is_here = entry == NULL;
  if (entry != NULL)
    fd = vend_fd_steal (&entry->plain_fd);
  pthread_mutex_unlock (&machines->lock);
  if (is_here)
    return local_of (runner)->connect (local_of (runner), id, context, limit, events, context_data,
                                       out, error);
  if (fd < 0)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "the director has not dialed yet");
  *out = vend_link_adopt (context, fd, limit, events, context_data);
  return true;
}

static bool
is_alive (VendRunner *runner, const char *id)
{
  VendMachines *machines = machines_of (runner);
  pthread_mutex_lock (&machines->lock);
  const Entry *entry = g_hash_table_lookup (machines->entries, id);
  const Machine *machine = entry != NULL ? machines_find (machines, entry->machine) : NULL;
  const bool is_here = entry == NULL;
  const bool alive = machine != NULL && entry->life != LIFE_GONE && !entry->is_ended
                     && machines_is_there (machines, machine);
  pthread_mutex_unlock (&machines->lock);
  return is_here ? local_of (runner)->is_alive (local_of (runner), id) : alive;
}

static bool
is_preparing (VendRunner *runner, const char *id)
{
  VendMachines *machines = machines_of (runner);
  pthread_mutex_lock (&machines->lock);
  const Entry *entry = g_hash_table_lookup (machines->entries, id);
  const bool preparing = entry != NULL && entry->life == LIFE_PREPARING;
  pthread_mutex_unlock (&machines->lock);
  return preparing;
}

/* ---- The end */

/* One whose machine is not there is ended when that comes back: by what its agent is to keep. */
static void
end (VendRunner *runner, const char *id)
{
  VendMachines *machines = machines_of (runner);
  g_autofree char *name = machine_of (machines, id);
  g_autoptr (GError) error = NULL;
  if (name == NULL)
    {
      local_of (runner)->end (local_of (runner), id);
      return;
    }
  pthread_mutex_lock (&machines->lock);
  Entry *entry = g_hash_table_lookup (machines->entries, id);
  if (entry != NULL)
    {
      entry->is_ended = true;
      entry->life = LIFE_GONE;
      vend_fd_clear (&entry->plain_fd);
      if (entry->stream != NULL)
        vend_tls_stream_shut (entry->stream);
    }
  pthread_mutex_unlock (&machines->lock);
  if (!machines_ask (machines, name, question_about ("end", id), ANSWER_S, NULL, &error))
    vend_log (VEND_LOG_WARN, "an instance ends when its machine is back", "instance", id, "machine",
              name, "error", error->message, NULL);
}

static bool
read_results (VendRunner *runner, const char *id, VendRunnerResult found, void *data,
              GError **error)
{
  VendMachines *machines = machines_of (runner);
  g_autofree char *name = machine_of (machines, id);
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func ((GDestroyNotify) json_decref);
  if (name == NULL)
    return local_of (runner)->read_results (local_of (runner), id, found, data, error);
  if (!machines_ask (machines, name, question_about ("results", id), RESULTS_S, results, error))
    return false;
  for (guint i = 0; i < results->len; i++)
    {
      json_t *completed = json_object_get (g_ptr_array_index (results, i), "completed");
      if (json_is_object (completed))
        found (completed, data);
    }
  return true;
}

static bool
remove_instance (VendRunner *runner, const char *id, GError **error)
{
  VendMachines *machines = machines_of (runner);
  g_autofree char *name = machine_of (machines, id);
  g_autofree char *folder = machines_folder (machines, id);
  g_autoptr (GError) problem = NULL;
  if (name == NULL && !g_file_test (folder, G_FILE_TEST_IS_DIR))
    return local_of (runner)->remove (local_of (runner), id, error);
  /* An agent that is not there removes what it is not to keep when it is back. */
  if (name != NULL
      && !machines_ask (machines, name, question_about ("remove", id), ANSWER_S, NULL, &problem)
      && !g_error_matches (problem, VEND_ERROR, VEND_ERROR_UNAVAILABLE))
    vend_log (VEND_LOG_WARN, "a machine cannot remove an instance", "instance", id, "error",
              problem->message, NULL);
  if (!vend_tree_remove (folder, error))
    return false;
  pthread_mutex_lock (&machines->lock);
  g_hash_table_remove (machines->entries, id);
  pthread_mutex_unlock (&machines->lock);
  return true;
}

/* ---- All of them */

static bool
list_names (const VendMachines *machines, GPtrArray *names, GError **error)
{
  g_autofree char *folder = g_build_filename (machines->dir, "instances", NULL);
  g_autoptr (GError) problem = NULL;
  g_autoptr (GDir) listing = g_dir_open (folder, 0, &problem);
  if (listing == NULL && !g_error_matches (problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return vend_fail (error, VEND_ERROR_STORAGE, "%s", problem->message);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    g_ptr_array_add (names, g_strdup (name));
  return true;
}

static bool
read_spec (const VendMachines *machines, const char *id, char **out, GError **error)
{
  g_autofree char *folder = machines_folder (machines, id);
  g_autofree char *path = g_build_filename (folder, SPEC, NULL);
  return vend_file_read (path, MAX_SPEC, out, NULL, error);
}

typedef struct
{
  VendRunnerFound found;
  void *data;
  bool goes_on;
} Listing;

static bool
found_here (const char *id, const char *spec, const GError *error, void *data)
{
  Listing *listing = data;
  listing->goes_on = listing->found (id, spec, error, listing->data);
  return listing->goes_on;
}

static bool
list (VendRunner *runner, VendRunnerFound found, void *data, GError **error)
{
  const VendMachines *machines = machines_of (runner);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  Listing listing = { found, data, true };
  if (!local_of (runner)->list (local_of (runner), found_here, &listing, error)
      || !list_names (machines, names, error))
    return false;
  for (guint i = 0; listing.goes_on && i < names->len; i++)
    {
      const char *id = g_ptr_array_index (names, i);
      g_autofree char *spec = NULL;
      g_autoptr (GError) problem = NULL;
      const bool is_read = read_spec (machines, id, &spec, &problem);
      listing.goes_on = found (id, is_read ? spec : NULL, problem, data);
    }
  return true;
}

bool
machines_runner_load (VendMachines *machines, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  if (!list_names (machines, names, error))
    return false;
  for (guint i = 0; i < names->len; i++)
    {
      const char *id = g_ptr_array_index (names, i);
      g_autofree char *text = NULL;
      json_auto_t *spec = NULL;
      g_autoptr (GError) ignored = NULL;
      if (read_spec (machines, id, &text, &ignored)
          && vend_json_parse (text, strlen (text), &spec, &ignored)
          && vend_json_string (spec, VEND_MACHINE_MEMBER) != NULL)
        add_entry (machines, id, spec, LIFE_ALIVE);
    }
  return true;
}

static GHashTable *
usage (VendRunner *runner)
{
  VendMachines *machines = machines_of (runner);
  GHashTable *all = local_of (runner)->usage (local_of (runner));
  GHashTableIter iter;
  void *value;
  pthread_mutex_lock (&machines->lock);
  g_hash_table_iter_init (&iter, machines->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Entry *entry = value;
      if (entry->usage.processes > 0)
        g_hash_table_insert (all, g_strdup (entry->id),
                             g_memdup2 (&entry->usage, sizeof entry->usage));
    }
  pthread_mutex_unlock (&machines->lock);
  return all;
}

/* Those of this machine: the audit looks at nothing else. */
static void
processes (VendRunner *runner, VendRunnerSeen seen, void *data)
{
  local_of (runner)->processes (local_of (runner), seen, data);
}

/* ---- Files */

static bool
has_file (const VendRunner *runner, const char *path)
{
  const char *dir = machines_of (runner)->dir;
  const gsize length = strlen (dir);
  return local_of (runner)->has_file (local_of (runner), path)
         || (strncmp (path, dir, length) == 0 && g_str_has_prefix (path + length, "/instances/")
             && strstr (path, "/../") == NULL);
}

static char *
folder_of (const VendRunner *runner, const char *id)
{
  VendMachines *machines = machines_of (runner);
  g_autofree char *name = machine_of (machines, id);
  return name != NULL ? machines_folder (machines, id)
                      : local_of (runner)->folder (local_of (runner), id);
}

/* ---- Life */

static void
free_runner (VendRunner *runner)
{
  vend_runner_free (local_of (runner));
  g_free (runner);
}

VendRunner *
vend_machines_runner (VendMachines *machines)
{
  MachinesRunner *self = g_new0 (MachinesRunner, 1);
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
                              .folder = folder_of,
                              .free = free_runner };
  self->machines = machines;
  return &self->table;
}
