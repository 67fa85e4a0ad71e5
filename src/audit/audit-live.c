/* Processes, folders of instances and what the server says of itself. */
#include "audit/audit-private.h"
#include "base/count.h"
#include "store/audit.h"
#include <string.h>

/* ---- Processes */

static void
seen_process (const VendRunnerProcess *process, void *data)
{
  Audit *audit = data;
  const char *what = process->is_director ? "a director" : "a process of a model";
  const char *wrong = NULL;
  if (!process->is_kept)
    wrong = "which is gone";
  else if (audit->options->live != NULL && !g_hash_table_contains (audit->live, process->instance))
    wrong = "which the server does not know";
  else if (!process->is_director && !process->has_director)
    wrong = "whose director is gone";
  if (wrong != NULL)
    vend_audit_found (audit, CHECK_PROCESSES, process->name, "%s of instance %s, %s", what,
                      process->instance, wrong);
}

static bool
found_instance (const char *id, const char *spec, const GError *error, void *data)
{
  g_hash_table_add (((Audit *) data)->kept, g_strdup (id));
  return true;
}

bool
vend_audit_instances (Audit *audit, GError **error)
{
  VendRunner *runner = audit->options->runner;
  runner->processes (runner, seen_process, audit);
  return runner->list (runner, found_instance, audit, error);
}

/* ---- Predictions that have not ended */

typedef struct
{
  Audit *audit;
  GHashTable *open; /* ids that the server has */
} Known;

static void
seen_open (const char *id, const char *unused, int64_t attempt, void *data)
{
  const Known *known = data;
  if (!g_hash_table_contains (known->open, id))
    vend_audit_found (known->audit, CHECK_OPEN, id,
                      "it has not ended, and the server does not have it");
}

static bool
is_open (Audit *audit, const char *id, GError **error)
{
  bool open = false;
  return vend_store_audit_is_open (audit->db, id, &open, error) && open;
}

static bool
check_open (Audit *audit, GError **error)
{
  g_autoptr (GHashTable) open = g_hash_table_new (g_str_hash, g_str_equal);
  Known known = { audit, open };
  size_t i;
  json_t *id;
  json_array_foreach (json_object_get (audit->options->live, "open"), i, id)
    {
      g_autoptr (GError) problem = NULL;
      const char *text = json_string_value (id);
      if (text == NULL)
        continue;
      g_hash_table_add (open, (char *) text);
      if (!is_open (audit, text, &problem))
        {
          if (problem != NULL)
            {
              g_propagate_error (error, g_steal_pointer (&problem));
              return false;
            }
          vend_audit_found (audit, CHECK_OPEN, text,
                            "the server has it, and in the store it has ended or is not there");
        }
    }
  return vend_store_audit_open_predictions (audit->db, seen_open, &known, error);
}

/* ---- Instances */

static void
check_instances (Audit *audit)
{
  VendRunner *runner = audit->options->runner;
  GHashTableIter iter;
  void *id, *instance;
  g_hash_table_iter_init (&iter, audit->kept);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    if (!g_hash_table_contains (audit->live, id))
      vend_audit_found (audit, CHECK_INSTANCES, id, "its folder has no instance");

  g_hash_table_iter_init (&iter, audit->live);
  while (g_hash_table_iter_next (&iter, &id, &instance))
    {
      const char *state = vend_json_string (instance, "state");
      if (!g_hash_table_contains (audit->kept, id))
        vend_audit_found (audit, CHECK_INSTANCES, id, "it is %s, and has no folder", state);
      else if (vend_json_bool (instance, "connected", false) && !runner->is_alive (runner, id))
        vend_audit_found (audit, CHECK_DIRECTORS, id, "it is %s, and its director is gone", state);
    }
}

/* ---- Slots */

/* What each prediction runs on, and how many slots that takes. */
static bool
check_runs (Audit *audit, const json_t *instance, GHashTable *runs, GError **error)
{
  const char *id = vend_json_string (instance, "id");
  const json_t *list = json_object_get (instance, "runs");
  const int64_t room = vend_json_int (instance, "slots", 0) + vend_json_int (instance, "ahead", 0);
  size_t i;
  json_t *run;
  if ((int64_t) json_array_size (list) > room)
    {
      g_autofree char *slots = vend_count_text ((uint64_t) MAX (room, 0), "slot", "slots");
      g_autofree char *running
          = vend_count_text (json_array_size (list), "prediction runs", "predictions run");
      vend_audit_found (audit, CHECK_SLOTS, id, "%s on %s", running, slots);
    }
  json_array_foreach ((json_t *) list, i, run)
    {
      const char *prediction = json_string_value (run);
      g_autoptr (GError) problem = NULL;
      if (prediction == NULL)
        continue;
      if (!g_hash_table_add (runs, (char *) prediction))
        vend_audit_found (audit, CHECK_SLOTS, prediction, "it runs on two instances at once");
      if (is_open (audit, prediction, &problem))
        continue;
      if (problem != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
      vend_audit_found (audit, CHECK_SLOTS, prediction,
                        "it has a slot of instance %s, and has ended", id);
    }
  return true;
}

static void
check_counts (Audit *audit, guint n_runs)
{
  const json_t *live = audit->options->live;
  const int64_t n_open = (int64_t) json_array_size (json_object_get (live, "open"));
  const json_t *accounts = json_object_get (live, "accounts");
  int64_t of_models = 0;
  size_t i;
  json_t *target;
  json_array_foreach (json_object_get (live, "targets"), i, target)
    of_models += vend_json_int (target, "running", 0);
  const struct
  {
    const char *name;
    int64_t counted;
    int64_t actual;
  } counts[] = {
    { "running of models", of_models, n_runs },
    { "running of accounts", vend_json_int (accounts, "running", -1), n_runs },
    { "open of accounts", vend_json_int (accounts, "open", -1), n_open },
  };
  for (guint n = 0; n < G_N_ELEMENTS (counts); n++)
    if (counts[n].counted != counts[n].actual)
      vend_audit_found (audit, CHECK_SLOTS, counts[n].name,
                        "%" G_GINT64_FORMAT " are counted, %" G_GINT64_FORMAT " are there",
                        counts[n].counted, counts[n].actual);
}

static bool
check_slots (Audit *audit, GError **error)
{
  g_autoptr (GHashTable) runs = g_hash_table_new (g_str_hash, g_str_equal);
  size_t i;
  json_t *instance;
  json_array_foreach (json_object_get (audit->options->live, "instances"), i, instance)
    if (!check_runs (audit, instance, runs, error))
      return false;
  check_counts (audit, g_hash_table_size (runs));
  return true;
}

/* ---- GPUs */

static void
check_gpus (Audit *audit)
{
  g_autoptr (GHashTable) taken = g_hash_table_new (g_str_hash, g_str_equal);
  size_t i, j;
  json_t *gpu, *instance, *uuid;
  json_array_foreach (json_object_get (audit->options->live, "instances"), i, instance)
    json_array_foreach (json_object_get (instance, "gpus"), j, uuid)
      if (json_string_value (uuid) != NULL
          && !g_hash_table_add (taken, (char *) json_string_value (uuid)))
        vend_audit_found (audit, CHECK_GPUS, json_string_value (uuid), "two instances have it");
  json_array_foreach (json_object_get (audit->options->live, "gpus"), i, gpu)
    {
      const char *holder = vend_json_string (gpu, "instance");
      const char *name = vend_json_string (gpu, "uuid");
      if (holder != NULL && name != NULL && !g_hash_table_contains (audit->live, holder))
        vend_audit_found (audit, CHECK_GPUS, name, "instance %s has it, and is gone", holder);
    }
}

bool
vend_audit_live (Audit *audit, GError **error)
{
  check_instances (audit);
  check_gpus (audit);
  return check_open (audit, error) && check_slots (audit, error);
}
