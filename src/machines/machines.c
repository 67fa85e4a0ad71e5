/* Machines: who they are, how they are, and questions to their agents. Any thread. */
#include "machines/machines.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "httpd/listen.h"
#include "httpd/tls-auto.h"
#include "httpd/tls-client.h"
#include "machines/machines-private.h"
#include "store/machines.h"
#include <string.h>

#define MAX_NAME 63
#define MAX_UNITS 100000
#define MAX_PEM ((gsize) 64 * 1024)
#define CERTIFICATE_DAYS (10 * 365)
/* How often it is stored that a machine was seen. */
#define NOTE_US (60 * VEND_US_PER_S)

/* ---- Machines */

static void
machine_free (void *data)
{
  Machine *machine = data;
  pthread_mutex_destroy (&machine->writing);
  g_hash_table_unref (machine->versions);
  json_decref (machine->hardware);
  g_free (machine->address);
  g_free (machine->name);
  g_free (machine);
}

static guint
units_of (const json_t *hardware)
{
  return (guint) CLAMP (vend_json_int (hardware, "units", 0), 0, MAX_UNITS);
}

static void
set_hardware (Machine *machine, const json_t *hardware)
{
  json_decref (machine->hardware);
  machine->hardware = json_deep_copy (hardware);
  machine->units = units_of (hardware);
}

/* Locked. One that was removed may come back. */
static Machine *
get_machine (VendMachines *machines, const char *name)
{
  Machine *machine = g_hash_table_lookup (machines->machines, name);
  if (machine != NULL)
    return machine;
  machine = g_new0 (Machine, 1);
  machine->name = g_strdup (name);
  machine->versions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  pthread_mutex_init (&machine->writing, NULL);
  g_hash_table_insert (machines->machines, machine->name, machine);
  return machine;
}

Machine *
machines_find (VendMachines *machines, const char *name)
{
  Machine *machine = g_hash_table_lookup (machines->machines, name);
  return machine != NULL && !machine->removed ? machine : NULL;
}

bool
machines_is_there (const VendMachines *machines, const Machine *machine)
{
  return !machine->removed
         && (machine->stream != NULL || vend_steady_us () - machine->seen_us < machines->lease_us);
}

typedef struct
{
  char *name;
  json_t *hardware;
  char *address;
  int64_t now_us;
} Sight;

static bool
store_sight (VendDb *db, void *data, GError **error)
{
  const Sight *sight = data;
  return vend_store_machine_seen (db, sight->name, sight->hardware, sight->address, sight->now_us,
                                  error);
}

static void
stored_sight (const GError *error, void *data)
{
  Sight *sight = data;
  if (error != NULL)
    vend_log (VEND_LOG_WARN, "cannot store that a machine was seen", "machine", sight->name,
              "error", error->message, NULL);
  g_free (sight->name);
  json_decref (sight->hardware);
  g_free (sight->address);
  g_free (sight);
}

void
machines_seen (VendMachines *machines, Machine *machine, const json_t *hardware,
               const char *address)
{
  Sight *sight = NULL;
  pthread_mutex_lock (&machines->lock);
  machine->seen_us = vend_steady_us ();
  machine->seen_wall_us = vend_now_us ();
  if (hardware != NULL)
    {
      set_hardware (machine, hardware);
      g_free (machine->address);
      machine->address = g_strdup (address);
    }
  if (hardware != NULL || machine->seen_us - machine->noted_us > NOTE_US)
    {
      machine->noted_us = machine->seen_us;
      sight = g_new0 (Sight, 1);
      *sight = (Sight){ g_strdup (machine->name), json_deep_copy (machine->hardware),
                        g_strdup (machine->address), machine->seen_wall_us };
    }
  pthread_mutex_unlock (&machines->lock);
  if (sight != NULL)
    vend_store_write (machines->store, store_sight, stored_sight, sight);
}

/* ---- Instances */

Entry *
machines_entry_new (const char *id, const json_t *spec)
{
  Entry *entry = g_new0 (Entry, 1);
  entry->id = g_strdup (id);
  entry->machine = g_strdup (vend_json_string (spec, VEND_MACHINE_MEMBER));
  entry->version = g_strdup (vend_json_string (spec, "version"));
  entry->plain_fd = -1;
  return entry;
}

void
machines_entry_free (Entry *entry)
{
  vend_fd_clear (&entry->plain_fd);
  if (entry->trees != NULL)
    g_ptr_array_unref (entry->trees);
  g_free (entry->version);
  g_free (entry->machine);
  g_free (entry->id);
  g_free (entry);
}

/* ---- Questions */

static bool
send_question (VendMachines *machines, Machine *machine, const json_t *question,
               guint64 *out_connection, GError **error)
{
  pthread_mutex_lock (&machine->writing);
  pthread_mutex_lock (&machines->lock);
  VendTlsStream *stream = machine->stream;
  *out_connection = machine->connection;
  pthread_mutex_unlock (&machines->lock);
  /* The stream stays while `writing` is held. */
  const bool sent = stream != NULL ? vend_exchange_send (stream, question, error)
                                   : vend_fail (error, VEND_ERROR_UNAVAILABLE,
                                                "the machine '%s' is not connected", machine->name);
  pthread_mutex_unlock (&machine->writing);
  return sent;
}

static bool
read_answer (const char *name, const json_t *answer, GError **error)
{
  const char *problem = vend_json_string (answer, "error");
  return problem == NULL || vend_fail (error, VEND_ERROR_RUNNER, "machine '%s': %s", name, problem);
}

bool
machines_ask (VendMachines *machines, const char *name, json_t *take_question, guint patience_s,
              GPtrArray *more, GError **error)
{
  json_auto_t *question = take_question;
  Question waiting = { NULL, more };
  const int64_t until_us = g_get_monotonic_time () + patience_s * VEND_US_PER_S;
  guint64 connection = 0;
  pthread_mutex_lock (&machines->lock);
  Machine *machine = machines_find (machines, name);
  const int64_t number = ++machines->n_questions;
  g_hash_table_insert (machines->questions, g_memdup2 (&number, sizeof number), &waiting);
  pthread_mutex_unlock (&machines->lock);
  vend_json_set_int (question, "question", number);

  bool good = machine != NULL
                  ? send_question (machines, machine, question, &connection, error)
                  : vend_fail (error, VEND_ERROR_UNAVAILABLE, "there is no machine '%s'", name);
  pthread_mutex_lock (&machines->lock);
  while (good && waiting.answer == NULL)
    if (machine->stream == NULL || machine->connection != connection)
      good = vend_fail (error, VEND_ERROR_UNAVAILABLE, "the connection to '%s' has ended", name);
    else if (!vend_cond_wait_until (&machines->changed, &machines->lock, until_us)
             && waiting.answer == NULL)
      good = vend_fail (error, VEND_ERROR_UNAVAILABLE, "the machine '%s' does not answer", name);
  g_hash_table_remove (machines->questions, &number);
  pthread_mutex_unlock (&machines->lock);
  json_auto_t *answer = waiting.answer;
  return good && read_answer (name, answer, error);
}

/* ---- For the scheduler */

static void
view_free (void *data)
{
  VendMachineView *view = data;
  g_free (view->name);
  g_free (view);
}

static int
by_name (const void *a, const void *b)
{
  return strcmp ((*(Machine *const *) a)->name, (*(Machine *const *) b)->name);
}

/* Locked. Of Machine, borrowed. */
static GPtrArray *
in_order (VendMachines *machines)
{
  GPtrArray *all = g_ptr_array_new ();
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, machines->machines);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_add (all, value);
  g_ptr_array_sort (all, by_name);
  return all;
}

GPtrArray *
vend_machines_look (VendMachines *machines)
{
  GPtrArray *views = g_ptr_array_new_with_free_func (view_free);
  pthread_mutex_lock (&machines->lock);
  g_autoptr (GPtrArray) all = in_order (machines);
  for (guint i = 0; i < all->len; i++)
    {
      const Machine *machine = g_ptr_array_index (all, i);
      VendMachineView *view = g_new0 (VendMachineView, 1);
      view->name = g_strdup (machine->name);
      view->units = machine->units;
      view->drains = machine->draining || machine->removed;
      view->is_open = machine->stream != NULL && !view->drains;
      g_ptr_array_add (views, view);
    }
  pthread_mutex_unlock (&machines->lock);
  return views;
}

bool
vend_machines_has_version (VendMachines *machines, const char *name, const char *version)
{
  pthread_mutex_lock (&machines->lock);
  const Machine *machine = machines_find (machines, name);
  const bool has = machine != NULL && g_hash_table_contains (machine->versions, version);
  pthread_mutex_unlock (&machines->lock);
  return has;
}

/* ---- For the API */

bool
vend_machine_name_is_good (const char *name)
{
  const gsize length = strlen (name);
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (name[i]) && (i == 0 || strchr ("._-", name[i]) == NULL))
      return false;
  return length > 0 && length <= MAX_NAME;
}

typedef struct
{
  const char *name;
  const json_t *hardware;
  bool drains;
  int64_t now_us;
} Change;

static bool
store_new (VendDb *db, void *data, GError **error)
{
  const Change *change = data;
  return vend_store_machine_insert (db, change->name, change->hardware, change->now_us, error);
}

static bool
store_drain (VendDb *db, void *data, GError **error)
{
  const Change *change = data;
  return vend_store_machine_drain (db, change->name, change->drains, error);
}

static bool
store_delete (VendDb *db, void *data, GError **error)
{
  return vend_store_machine_delete (db, ((const Change *) data)->name, error);
}

bool
vend_machines_join (VendMachines *machines, const char *name, const json_t *hardware, json_t **out,
                    GError **error)
{
  Change change = { .name = name, .hardware = hardware, .now_us = vend_now_us () };
  g_autofree char *common_name = vend_exchange_peer_name (VEND_PEER_MACHINE, name);
  g_autofree char *certificate = NULL;
  char *key = NULL;
  if (!vend_tls_client_new (machines->authority_dir, common_name, CERTIFICATE_DAYS, &certificate,
                            &key, error))
    return false;
  const bool stored = vend_store_write_wait (machines->store, store_new, &change, error);
  if (stored)
    {
      pthread_mutex_lock (&machines->lock);
      Machine *machine = get_machine (machines, name);
      set_hardware (machine, hardware);
      machine->removed = false;
      machine->draining = false;
      machine->created_us = change.now_us;
      machine->seen_wall_us = 0;
      machine->seen_us = 0;
      pthread_mutex_unlock (&machines->lock);
      *out = json_pack ("{s:s, s:i, s:s, s:s, s:s}", "name", name, "port", (int) machines->port,
                        "authority", machines->authority, "certificate", certificate, "key", key);
    }
  explicit_bzero (key, strlen (key));
  g_free (key);
  return stored;
}

bool
vend_machines_drain (VendMachines *machines, const char *name, bool drains, GError **error)
{
  Change change = { .name = name, .drains = drains };
  if (!vend_store_write_wait (machines->store, store_drain, &change, error))
    return false;
  pthread_mutex_lock (&machines->lock);
  Machine *machine = machines_find (machines, name);
  if (machine != NULL)
    machine->draining = drains;
  pthread_mutex_unlock (&machines->lock);
  return true;
}

/* Locked. */
static guint
count_instances (VendMachines *machines, const char *name)
{
  guint n = 0;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, machines->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    n += strcmp (((const Entry *) value)->machine, name) == 0;
  return n;
}

bool
vend_machines_remove (VendMachines *machines, const char *name, GError **error)
{
  Change change = { .name = name };
  pthread_mutex_lock (&machines->lock);
  const Machine *there = machines_find (machines, name);
  const guint n
      = there != NULL && machines_is_there (machines, there) ? count_instances (machines, name) : 0;
  pthread_mutex_unlock (&machines->lock);
  if (n > 0)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "machine '%s' has %u instances; drain it and wait until they have ended",
                      name, n);
  if (!vend_store_write_wait (machines->store, store_delete, &change, error))
    return false;
  pthread_mutex_lock (&machines->lock);
  Machine *machine = machines_find (machines, name);
  if (machine != NULL)
    {
      machine->removed = true;
      if (machine->stream != NULL)
        vend_tls_stream_shut (machine->stream);
    }
  pthread_mutex_unlock (&machines->lock);
  return true;
}

/* Locked. */
static json_t *
describe (VendMachines *machines, const Machine *machine)
{
  const char *state = !machines_is_there (machines, machine) ? "lost"
                      : machine->draining                    ? "draining"
                                                             : "ready";
  json_t *described
      = json_pack ("{s:s, s:s, s:s, s:O, s:i}", "name", machine->name, "state", state, "address",
                   machine->address != NULL ? machine->address : "", "hardware", machine->hardware,
                   "instances", (int) count_instances (machines, machine->name));
  vend_json_set_time (described, "created_at", machine->created_us);
  vend_json_set_time (described, "last_seen_at", machine->seen_wall_us);
  return described;
}

json_t *
vend_machines_describe (VendMachines *machines, const char *name)
{
  pthread_mutex_lock (&machines->lock);
  const Machine *machine = machines_find (machines, name);
  json_t *described = machine != NULL ? describe (machines, machine) : NULL;
  pthread_mutex_unlock (&machines->lock);
  return described;
}

json_t *
vend_machines_describe_all (VendMachines *machines)
{
  json_t *list = json_array ();
  pthread_mutex_lock (&machines->lock);
  g_autoptr (GPtrArray) all = in_order (machines);
  for (guint i = 0; i < all->len; i++)
    {
      const Machine *machine = g_ptr_array_index (all, i);
      if (!machine->removed)
        json_array_append_new (list, describe (machines, machine));
    }
  pthread_mutex_unlock (&machines->lock);
  return list;
}

/* ---- Life */

static bool
load_rows (VendMachines *machines, GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;
  g_auto (VendReader) reader = vend_reader (machines->store);
  if (!vend_store_machine_list (reader.db, &rows, error))
    return false;
  for (guint i = 0; i < rows->len; i++)
    {
      const VendMachineRow *row = g_ptr_array_index (rows, i);
      Machine *machine = get_machine (machines, row->name);
      set_hardware (machine, row->hardware);
      machine->address = g_strdup (row->address);
      machine->draining = row->draining;
      machine->created_us = row->created_us;
      machine->seen_wall_us = row->seen_us;
      machine->seen_us = vend_steady_us ();
    }
  return true;
}

static bool
open_authority (VendMachines *machines, const char *listen, GError **error)
{
  g_autofree char *host = NULL, *port = NULL;
  g_autofree char *certificate = NULL, *key = NULL, *ca_path = NULL;
  if (!vend_listen_split (listen, "directors", &host, &port, error))
    return false;
  /* Who dials believes any server of the authority, whatever its name. */
  const char *const hosts[] = { NULL };
  return vend_dir_ensure (machines->dir, error)
         && vend_tls_auto (machines->authority_dir, hosts, &certificate, &key, &ca_path, error)
         && vend_file_read (ca_path, MAX_PEM, &machines->authority, NULL, error)
         && vend_tls_identity_new (machines->authority, certificate, key, &machines->identity,
                                   error);
}

bool
vend_machines_open (const VendMachinesOptions *options, VendMachines **out, GError **error)
{
  VendMachines *machines = g_new0 (VendMachines, 1);
  machines->store = options->store;
  machines->blobs = options->blobs;
  machines->local = options->local;
  machines->data_dir = g_strdup (options->data_dir);
  machines->dir = g_build_filename (options->data_dir, "machines", NULL);
  machines->authority_dir = g_build_filename (machines->dir, "authority", NULL);
  machines->lease_us = options->lease_us;
  machines->max_output_file = options->max_output_file;
  machines->machines = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, machine_free);
  machines->entries
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) machines_entry_free);
  machines->questions = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  pthread_mutex_init (&machines->lock, NULL);
  vend_cond_init (&machines->changed);
  if (!open_authority (machines, options->listen, error) || !load_rows (machines, error)
      || !machines_runner_load (machines, error)
      || !machines_door_open (machines, options->listen, error))
    {
      vend_runner_free (machines->local);
      vend_machines_free (machines);
      return false;
    }
  *out = machines;
  return true;
}

void
vend_machines_stop (VendMachines *machines)
{
  if (machines != NULL)
    g_clear_pointer (&machines->door, machines_door_free);
}

void
vend_machines_free (VendMachines *machines)
{
  if (machines == NULL)
    return;
  vend_machines_stop (machines);
  vend_tls_identity_unref (machines->identity);
  g_hash_table_unref (machines->questions);
  g_hash_table_unref (machines->entries);
  g_hash_table_unref (machines->machines);
  pthread_cond_destroy (&machines->changed);
  pthread_mutex_destroy (&machines->lock);
  g_free (machines->authority);
  g_free (machines->authority_dir);
  g_free (machines->dir);
  g_free (machines->data_dir);
  g_free (machines);
}

guint
vend_machines_port (const VendMachines *machines)
{
  return machines->port;
}
