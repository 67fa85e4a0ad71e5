/* The status for a page that polls every second: bounded lists, the busiest first. The core thread
 * copies its state; the disk pool makes the text and looks at processes and the machine. */
#include "base/clock.h"
#include "hardware/machine-load.h"
#include "hardware/machine.h"
#include "sched/instance/instance.h"
#include "sched/observe/status-private.h"

/* ---- The text */

json_t *
vend_status_states_json (const guint *n)
{
  json_t *states = json_object ();
  for (guint i = 0; i <= INSTANCE_STOPPING; i++)
    json_object_set_new_nocheck (states, vend_instance_state_name (i), json_integer (n[i]));
  return states;
}

/* Null before the first measurement. */
static json_t *
measured_json (double us)
{
  return us > 0 ? json_real (us / VEND_US_PER_S) : json_null ();
}

static json_t *
queue_json (const VendQueueView *view, int64_t now_us)
{
  return json_pack ("{s:s, s:s?, s:s, s:s, s:i, s:i, s:i, s:f, s:i, s:i, s:i, s:o, s:o, s:o, s:i}",
                    "model", view->model, "deployment", view->deployment, "version", view->version,
                    "hardware", view->hardware, "waiting", (int) view->waiting, "accounts_waiting",
                    (int) view->accounts, "running", (int) view->running, "oldest_wait_seconds",
                    (double) (now_us - view->oldest_us) / VEND_US_PER_S, "slots", (int) view->slots,
                    "min_instances", (int) view->min, "max_instances", (int) view->max, "instances",
                    vend_status_states_json (view->states), "boot_seconds",
                    measured_json (view->boot_us), "run_seconds", measured_json (view->run_us),
                    "boot_failures", (int) view->boot_failures);
}

static json_t *
instance_json (const VendInstanceView *view, int64_t now_us)
{
  json_t *gpus = json_array ();
  for (guint i = 0; view->gpus != NULL && i < view->gpus->len; i++)
    json_array_append_new (gpus, json_integer (g_array_index (view->gpus, guint, i)));
  return json_pack ("{s:s, s:s, s:s?, s:s, s:s, s:b, s:s, s:o, s:i, s:i, s:f}", "id", view->id,
                    "model", view->model, "deployment", view->deployment, "version", view->version,
                    "state", vend_instance_state_name (view->state), "draining", view->draining,
                    "hardware", view->hardware, "gpus", gpus, "running", (int) view->running,
                    "slots", (int) view->slots, "age_seconds",
                    (double) MAX (now_us - view->created_us, 0) / VEND_US_PER_S);
}

void
vend_status_describe (const VendStatusView *view, json_t *out)
{
  json_t *queues = json_array (), *instances = json_array ();
  for (guint i = 0; i < view->queues->len; i++)
    json_array_append_new (
        queues, queue_json (&g_array_index (view->queues, VendQueueView, i), view->now_us));
  for (guint i = 0; i < view->instances->len; i++)
    json_array_append_new (
        instances,
        instance_json (&g_array_index (view->instances, VendInstanceView, i), view->now_us));
  vend_json_set_time (out, "now", vend_now_us ());
  json_object_update (out, view->rest);
  json_object_set_new (out, "queues", queues);
  json_object_set_new (out, "queues_left_out", json_integer (view->queues_left_out));
  json_object_set_new (out, "instances", instances);
  json_object_set_new (out, "instances_left_out", json_integer (view->instances_left_out));
}

static void
add_processes (json_t *out, VendRunner *runner)
{
  g_autoptr (GHashTable) usage = runner->usage (runner);
  size_t i;
  json_t *instance;
  json_array_foreach (json_object_get (out, "instances"), i, instance)
    {
      static const VendRunnerUsage nothing;
      const VendRunnerUsage *used = g_hash_table_lookup (usage, vend_json_string (instance, "id"));
      if (used == NULL)
        used = &nothing;
      json_object_set_new_nocheck (instance, "processes", json_integer (used->processes));
      json_object_set_new_nocheck (instance, "cpu_seconds", json_real (used->cpu_seconds));
      json_object_set_new_nocheck (instance, "memory", json_integer ((json_int_t) used->memory));
    }
}

static void
add_machine (json_t *out)
{
  VendMachineLoad load;
  vend_machine_load (&load);
  json_object_set_new_nocheck (out, "machine",
                               json_pack ("{s:i, s:I, s:I, s:[f, f, f]}", "cores",
                                          (int) vend_machine_cores (), "memory",
                                          (json_int_t) vend_machine_memory (), "memory_available",
                                          (json_int_t) load.memory_available, "load",
                                          load.averages[0], load.averages[1], load.averages[2]));
}

typedef struct
{
  VendSched *sched;
  VendStatusView *view;
  json_t *out;
  char *text;
  VendSchedStatusReady notify;
  void *data;
} Request;

static void
collect (void *data)
{
  Request *request = data;
  vend_status_describe (request->view, request->out);
  add_processes (request->out, request->sched->runner);
  add_machine (request->out);
  request->text = vend_json_text (request->out);
  /* Both are large, and unused from here on: freed here, not on the core thread. */
  json_decref (request->out);
  vend_status_view_free (request->view);
}

static void
collected (void *data)
{
  g_autofree Request *request = data;
  request->notify (request->text, request->data);
}

static void
status_on_core (void *data)
{
  Request *request = data;
  request->view = vend_status_view (request->sched, vend_steady_us ());
  vend_sched_on_disk (request->sched, collect, collected, request);
}

void
vend_sched_status (VendSched *sched, json_t *take, VendSchedStatusReady notify, void *data)
{
  Request *request = g_new0 (Request, 1);
  *request = (Request){ .sched = sched, .out = take, .notify = notify, .data = data };
  vend_inbox_post (sched->inbox, status_on_core, request);
}
