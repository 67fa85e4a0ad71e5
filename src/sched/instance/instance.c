/* The life of an instance: started, connected, fed, stopped, reaped, cleaned up. Core thread;
 * blocking work runs on the disk pool. */
#include "sched/instance/instance.h"
#include "sched/instance/isolate.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"
#include "cog/input.h"
#include "model/failure.h"
#include "runner/frame.h"
#include "sched/account/accounts.h"
#include "sched/instance/fast-start.h"
#include "sched/instance/instance-spec.h"
#include "sched/instance/metering.h"
#include "sched/instance/secrets.h"
#include "sched/instance/zygotes.h"
#include "sched/observe/decisions.h"
#include "sched/observe/measure.h"
#include "sched/run/inputs.h"
#include "sched/run/run.h"
#include "sched/target/placing.h"
#include "sched/target/pools.h"
#include "sched/target/target.h"
#include "sched/target/weights.h"
#include "secrets/secrets.h"
#include <string.h>

#define CONNECT_RETRY_US (5 * VEND_US_PER_MS)
#define PREPARING_RETRY_US (100 * VEND_US_PER_MS)
#define CONNECT_TIMEOUT_US (20 * VEND_US_PER_S)
/* A director that lives longer than the grace and this after a stop is killed. */
#define STOP_SLACK_US (20 * VEND_US_PER_S)
/* Many times a prefetched run. */
#define HELD_UP_US (1 * VEND_US_PER_S)

static void try_connect (void *data);
static void reap (Instance *instance);

static Instance *
instance_new (Target *target, const char *id, guint slots, int64_t created_us)
{
  VendSched *sched = target->sched;
  Instance *instance = g_new0 (Instance, 1);
  instance->sched = sched;
  instance->target = target;
  instance->id = g_strdup (id);
  instance->running = g_hash_table_new (g_str_hash, g_str_equal);
  instance->unsettled = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  instance->slots = slots;
  instance->created_us = created_us;
  instance->frame_limit = vend_frame_limit (sched->limits.max_output, sched->limits.max_logs);
  instance->billing = target->billing;
  instance->setup_logs = g_string_new (NULL);
  g_hash_table_insert (sched->instances, instance->id, instance);
  g_ptr_array_add (target->instances, instance);
  return instance;
}

void
vend_instance_free (Instance *instance)
{
  vend_timer_clear (&instance->timer);
  vend_timer_clear (&instance->stop_due);
  vend_link_free (instance->link);
  g_hash_table_unref (instance->running);
  g_hash_table_unref (instance->unsettled);
  g_string_free (instance->setup_logs, TRUE);
  g_free (instance->id);
  g_free (instance->why);
  g_free (instance->zygote);
  json_decref (instance->room);
  g_free (instance->plain_why);
  g_free (instance->isolation_why);
  g_free (instance->snapshot);
  g_free (instance->snapshot_why);
  vend_zygote_spec_free (instance->snapshot_spec);
  vend_secret_set_free (instance->secrets);
  g_strfreev (instance->gpus);
  g_free (instance->machine);
  vend_metering_clear (instance);
  g_free (instance);
}

bool
vend_instance_has_room (const Instance *instance)
{
  return instance->state == INSTANCE_READY && instance->link != NULL && !instance->draining
         && g_hash_table_size (instance->running) < instance->slots;
}

/* The instance was prefetched for short runs, and has a long run. */
static bool
is_held_up (const Instance *instance)
{
  return g_hash_table_size (instance->running) >= instance->slots
         && vend_steady_us () - instance->moved_us > HELD_UP_US;
}

bool
vend_instance_has_prefetch_room (const Instance *instance, guint prefetch)
{
  return instance->state == INSTANCE_READY && instance->link != NULL && !instance->draining
         && g_hash_table_size (instance->running) < instance->slots + prefetch
         && instance->target->kind != VEND_KIND_TRAINING && !is_held_up (instance);
}

/* ---- Start */

typedef struct
{
  Instance *instance;
  json_t *spec;
  GPtrArray *sets; /* managed weights */
  bool is_missing; /* some of them are not on disk */
  GError *error;
} Launch;

/* What the spec names stays from its writing on. */
static void
launch (void *data)
{
  Launch *job = data;
  VendShelf *shelf = job->instance->sched->shelf;
  VendRunner *runner = job->instance->sched->runner;
  if (!vend_shelf_place (shelf, job->sets, &job->error))
    {
      job->is_missing = g_error_matches (job->error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
      return;
    }
  if (!vend_instance_place_weights (job->instance, &job->error)
      || !vend_instance_spec_add_image (job->instance, job->spec, &job->error)
      || !runner->start (runner, job->instance->id, job->spec, &job->error))
    g_assert (job->error != NULL);
  vend_shelf_let_go (shelf, job->sets);
}

static void
not_launched (Instance *instance, const char *problem)
{
  vend_log (VEND_LOG_ERROR, "cannot start an instance", "instance", instance->id, "error", problem,
            NULL);
  vend_target_boot_lost (instance, problem);
  reap (instance);
}

/* Between the look at them and this start somebody has removed them. */
static void
lacks_weights (Instance *instance)
{
  vend_target_weights_let_go (instance->target);
  if (!instance->stop_when_connected)
    vend_decided_stop (instance, "its weights are no longer on disk");
  instance->stop_when_connected = true;
  reap (instance);
}

static void
launched (void *data)
{
  g_autofree Launch *job = data;
  Instance *instance = job->instance;
  g_ptr_array_unref (job->sets);
  json_decref (job->spec);
  if (job->is_missing)
    {
      g_clear_error (&job->error);
      lacks_weights (instance);
      return;
    }
  if (job->error != NULL)
    {
      not_launched (instance, job->error->message);
      g_clear_error (&job->error);
      return;
    }
  vend_target_weights_let_go (instance->target);
  vend_metering_begin (instance);
  instance->give_up_us = vend_steady_us () + CONNECT_TIMEOUT_US;
  try_connect (instance);
}

static void
launch_soon (Instance *instance)
{
  VendSched *sched = instance->sched;
  Launch *job = g_new0 (Launch, 1);
  *job = (Launch){ .instance = instance,
                   .spec = vend_instance_spec (instance),
                   .sets = vend_instance_weight_sets (instance) };
  vend_sched_on_disk (sched, launch, launched, job);
}

static void
secrets_read (Instance *instance, const char *problem)
{
  if (problem == NULL)
    {
      vend_fast_start_prepare (instance, launch_soon);
      return;
    }
  vend_log (VEND_LOG_ERROR, "cannot start an instance", "instance", instance->id, "error", problem,
            NULL);
  /* Which no other instance would change. */
  vend_target_boot_failed (instance->target, VEND_FAILURE_SETUP_FAILED, "", problem);
  reap (instance);
}

Instance *
vend_instance_start (Target *target, const char *reason)
{
  g_autofree char *id = vend_id_new ();
  Instance *instance = instance_new (target, id, target->slots, vend_steady_us ());
  if (!vend_instance_take_gpus (instance) || !vend_instance_place (instance))
    {
      /* A GPU has become unhealthy since the plan was made, or a machine has gone. */
      g_ptr_array_remove (target->instances, instance);
      g_hash_table_remove (target->sched->instances, instance->id);
      return NULL;
    }
  target->sched->n_starts++;
  vend_log (VEND_LOG_INFO, "starting an instance", "instance", id, "reason", reason, "machine",
            instance->machine, NULL);
  vend_isolate_start (instance);
  vend_decided_start (instance, reason);

  vend_instance_read_secrets (instance, secrets_read);
  return instance;
}

Instance *
vend_instance_adopt (Target *target, const char *id, guint slots, int64_t created_us,
                     const json_t *spec, const VendInstanceUsage *last)
{
  const VendSchedLimits *limits = &target->sched->limits;
  Instance *instance = instance_new (target, id, slots, vend_steady_of (created_us));
  const int64_t max_output = vend_json_int (spec, "max_output", (int64_t) limits->max_output);
  const int64_t max_logs = vend_json_int (spec, "max_logs", (int64_t) limits->max_logs);
  instance->frame_limit = vend_frame_limit ((uint64_t) max_output, (uint64_t) max_logs);
  instance->machine = g_strdup (vend_json_string (spec, VEND_MACHINE_MEMBER));
  vend_instance_keep_gpus (instance, json_object_get (vend_instance_spec_target (spec), "gpus"));
  vend_metering_adopt (instance, last);
  vend_isolate_adopt (instance, spec);
  instance->adopted = true;
  instance->adopting = true;
  instance->give_up_us = vend_steady_us () + CONNECT_TIMEOUT_US;
  target->sched->n_adopting++;
  try_connect (instance);
  return instance;
}

/* ---- The connection */

static void
on_frame (VendLink *link, json_t *frame, void *context)
{
  ((Instance *) context)->silent_s = 0;
  vend_instance_on_frame (context, frame);
}

typedef struct
{
  Instance *instance;
  bool alive;
  bool preparing;
} Check;

static void
check (void *data)
{
  Check *job = data;
  VendRunner *runner = job->instance->sched->runner;
  job->alive = runner->is_alive (runner, job->instance->id);
  job->preparing = runner->is_preparing (runner, job->instance->id);
}

static void
checked (void *data)
{
  g_autofree Check *job = data;
  Instance *instance = job->instance;
  instance->checking = false;
  if (instance->state == INSTANCE_GONE || instance->link != NULL)
    return;
  if (job->alive)
    instance->closed_us = 0;
  if (job->alive && job->preparing)
    instance->give_up_us = vend_steady_us () + CONNECT_TIMEOUT_US;
  if (!job->alive || vend_steady_us () > instance->give_up_us)
    {
      if (instance->why == NULL)
        instance->why
            = g_strdup (job->alive ? "its director does not answer" : "its director died");
      reap (instance);
      return;
    }
  const int64_t retry_us = job->preparing ? PREPARING_RETRY_US : CONNECT_RETRY_US;
  instance->timer = vend_timer_set (instance->sched->timers, vend_steady_us () + retry_us,
                                    try_connect, instance);
}

static void
check_life (Instance *instance)
{
  if (instance->checking)
    return;
  Check *job = g_new0 (Check, 1);
  job->instance = instance;
  instance->checking = true;
  vend_sched_on_disk (instance->sched, check, checked, job);
}

static void
on_closed (VendLink *link, const GError *error, void *context)
{
  Instance *instance = context;
  if (error != NULL)
    vend_log (VEND_LOG_WARN, "lost the connection to a director", "instance", instance->id, "error",
              error->message, NULL);
  g_clear_pointer (&instance->link, vend_link_free);
  instance->closed_us = vend_now_us ();
  instance->give_up_us = vend_steady_us () + CONNECT_TIMEOUT_US;
  check_life (instance);
}

static json_t *
command_new (const char *name, const char *prediction, int attempt)
{
  return json_pack ("{s:s, s:s, s:i}", "command", name, "prediction", prediction, "attempt",
                    attempt);
}

static int
by_last_given (const void *a, const void *b)
{
  const Run *x = *(Run *const *) a, *y = *(Run *const *) b;
  return x->given < y->given ? 1 : -1;
}

/* Borrowed runs, the last one given first: each that comes back goes to the head of its queue.
 */
static GPtrArray *
last_given_first (const Instance *instance)
{
  GPtrArray *runs = g_ptr_array_new ();
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, instance->running);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_add (runs, value);
  g_ptr_array_sort (runs, by_last_given);
  return runs;
}

/* Prefetched runs may begin on another instance. The director knows which runs have begun. */
static void
ask_back (Instance *instance)
{
  if (instance->link == NULL || g_hash_table_size (instance->running) <= instance->slots
      || !is_held_up (instance))
    return;
  g_autoptr (GPtrArray) runs = last_given_first (instance);
  for (guint i = 0; i < runs->len; i++)
    {
      const VendPrediction *p = ((const Run *) g_ptr_array_index (runs, i))->p;
      if (p->started_us == 0
          && !vend_link_send (instance->link, command_new ("give_back", p->id, p->attempt)))
        vend_log (VEND_LOG_WARN, "cannot ask for a run back", "instance", instance->id, NULL);
    }
}

static void
give_up (Instance *instance)
{
  vend_log (VEND_LOG_WARN, "a director says nothing; giving it up", "instance", instance->id, NULL);
  g_free (instance->why);
  instance->why = g_strdup ("its director does not answer");
  g_clear_pointer (&instance->link, vend_link_free);
  reap (instance);
}

/* Seconds are counted by ticks and not by a clock: after a pause of this process, frames that
 * arrived meanwhile are read before the next tick. */
void
vend_instance_tick (Instance *instance)
{
  const guint lease_s = (guint) MAX (instance->sched->limits.lease_us / VEND_US_PER_S, 2);
  ask_back (instance);
  if (instance->state == INSTANCE_GONE)
    return;
  /* A director that hangs up each time stays behind in between as well. */
  if (!instance->caught_up && (instance->link != NULL || instance->behind_s > 0))
    instance->behind_s++;
  if (instance->behind_s >= lease_s)
    {
      give_up (instance);
      return;
    }
  if (instance->link == NULL || !instance->pings)
    return;
  if (++instance->silent_s >= lease_s)
    give_up (instance);
  else if (instance->silent_s >= lease_s / 2
           && !vend_link_send (instance->link, json_pack ("{s:s}", "command", "ping")))
    vend_log (VEND_LOG_WARN, "cannot ping a director", "instance", instance->id, NULL);
}

static const VendLinkEvents link_events = { .on_frame = on_frame, .on_closed = on_closed };

static void
try_connect (void *data)
{
  Instance *instance = data;
  VendRunner *runner = instance->sched->runner;
  g_autoptr (GError) error = NULL;
  instance->timer = NULL;
  /* The kernel accepts a connection for a stopped process, too. */
  instance->caught_up = false;
  instance->silent_s = 0;
  if (!runner->connect (runner, instance->id, instance->sched->core, instance->frame_limit,
                        &link_events, instance, &instance->link, &error))
    check_life (instance);
}

/* ---- Predictions on the instance */

typedef struct
{
  VendSched *sched;
  char *prediction;
} Unsent;

/* Deferred: the turn that sent the run may be walking the list of runs. */
static void
fail_unsent (void *data)
{
  g_autofree Unsent *unsent = data;
  g_autofree char *prediction = unsent->prediction;
  Run *run = g_hash_table_lookup (unsent->sched->runs, prediction);
  if (run != NULL)
    vend_run_fail (
        run, VEND_FAILURE_INPUT_TOO_LARGE, NULL,
        "the input does not fit into the %" G_GSIZE_FORMAT " bytes of JSON that a director takes",
        vend_frame_limit (unsent->sched->limits.max_output, unsent->sched->limits.max_logs));
}

/* A run that is too long for this director is too long on each try. */
static void
not_sent (Instance *instance, const Run *run, const json_t *frame)
{
  vend_log (VEND_LOG_WARN, "cannot send a run", "instance", instance->id, NULL);
  if (instance->link == NULL || vend_link_takes (instance->link, frame))
    return;
  Unsent *unsent = g_new0 (Unsent, 1);
  *unsent = (Unsent){ instance->sched, g_strdup (run->p->id) };
  vend_inbox_post (instance->sched->inbox, fail_unsent, unsent);
}

static void
send_run (Instance *instance, Run *run)
{
  json_t *files = run->p->files != NULL ? json_incref (run->p->files) : json_array ();
  json_t *input = vend_cog_input_for_model (run->p->input);
  const VendSchedLimits *limits = &instance->sched->limits;
  int64_t timeout_us
      = run->p->kind == VEND_KIND_TRAINING ? limits->train_timeout_us : limits->predict_timeout_us;
  json_auto_t *frame = json_pack ("{s:s, s:s, s:i, s:o, s:I, s:o}", "command", "run", "prediction",
                                  run->p->id, "attempt", run->p->attempt, "input", input,
                                  "timeout_us", (json_int_t) timeout_us, "files", files);
  if (run->target->scaling.retry_safe == 0 || run->p->kind == VEND_KIND_TRAINING)
    vend_json_set_bool (frame, "retry_safe", false);
  /* A closed link reconnects, and runs that it did not carry are sent again. */
  if (instance->link != NULL && !vend_link_send (instance->link, json_incref (frame)))
    not_sent (instance, run, frame);
}

void
vend_instance_run (Instance *instance, Run *run)
{
  if (run->instance == NULL)
    {
      run->emitted = false;
      vend_run_attach (run, instance);
      vend_measure_given (run);
    }
  if (!vend_inputs_are_here (run))
    vend_inputs_fetch (run);
  else
    send_run (instance, run);
}

static void
command (Instance *instance, const char *name, const char *prediction, int attempt)
{
  if (instance->link != NULL
      && !vend_link_send (instance->link, command_new (name, prediction, attempt)))
    vend_log (VEND_LOG_WARN, "cannot send a command", "instance", instance->id, "command", name,
              NULL);
}

void
vend_instance_cancel (Instance *instance, Run *run)
{
  command (instance, "cancel", run->p->id, run->p->attempt);
}

void
vend_instance_drop (Instance *instance, const char *prediction, int attempt)
{
  command (instance, "cancel", prediction, attempt);
}

static char *
key_of_attempt (const char *prediction, int attempt)
{
  return g_strdup_printf ("%s.%d", prediction, attempt);
}

void
vend_instance_unsettle (Instance *instance, const char *prediction, int attempt)
{
  g_hash_table_add (instance->unsettled, key_of_attempt (prediction, attempt));
}

void
vend_instance_settle (Instance *instance, const char *prediction, int attempt)
{
  g_autofree char *key = key_of_attempt (prediction, attempt);
  if (instance->link != NULL
      && !vend_link_send_later (instance->link, command_new ("ack", prediction, attempt)))
    vend_log (VEND_LOG_WARN, "cannot acknowledge", "instance", instance->id, NULL);
  g_hash_table_remove (instance->unsettled, key);
  if (instance->state == INSTANCE_GONE && g_hash_table_size (instance->unsettled) == 0)
    vend_sched_reconcile_soon (instance->sched);
}

void
vend_instance_acknowledge (VendSched *sched, const char *instance_id, const char *prediction,
                           int attempt)
{
  Instance *instance = g_hash_table_lookup (sched->instances, instance_id);
  if (instance != NULL)
    vend_instance_settle (instance, prediction, attempt);
}

void
vend_instance_detach (Instance *instance, Run *run)
{
  run->instance = NULL;
  vend_metering_count (instance);
  if (g_hash_table_remove (instance->running, run->p->id))
    {
      instance->target->n_running--;
      vend_account_ended (run->sched, run->p->account_id);
    }
  if (g_hash_table_size (instance->running) == 0)
    instance->idle_since_us = vend_steady_us ();
  if (run->p->kind == VEND_KIND_TRAINING)
    vend_instance_drain (instance, "a training has an instance of its own");
  vend_sched_reconcile_soon (instance->sched);
}

/* ---- The end */

static void
stop_took_too_long (void *data)
{
  Instance *instance = data;
  instance->stop_due = NULL;
  vend_log (VEND_LOG_WARN, "a director does not stop; killing it", "instance", instance->id, NULL);
  g_clear_pointer (&instance->link, vend_link_free);
  reap (instance);
}

void
vend_instance_stop (Instance *instance, const char *reason)
{
  if (instance->state == INSTANCE_STOPPING || instance->state == INSTANCE_GONE)
    return;
  vend_log (VEND_LOG_INFO, "stopping an instance", "instance", instance->id, "reason", reason,
            NULL);
  if (!instance->stop_when_connected)
    vend_decided_stop (instance, reason);
  vend_fast_start_learn (instance);
  g_free (instance->why);
  instance->why = g_strdup (reason);
  if (instance->state == INSTANCE_STARTING || instance->link == NULL)
    {
      /* Not reachable: the start or reconnection is under way, and ends in reap. */
      instance->stop_when_connected = true;
      return;
    }
  instance->state = INSTANCE_STOPPING;
  vend_timer_clear (&instance->timer);
  instance->stop_due
      = vend_timer_set (instance->sched->timers,
                        vend_steady_us () + instance->sched->limits.stop_grace_us + STOP_SLACK_US,
                        stop_took_too_long, instance);
  if (!vend_link_send (instance->link, json_pack ("{s:s}", "command", "stop")))
    vend_log (VEND_LOG_WARN, "cannot send a stop", "instance", instance->id, NULL);
}

bool
vend_instance_is_unresponsive (const Instance *instance)
{
  return (instance->state == INSTANCE_STOPPING && !instance->hears_stop)
         || (instance->state < INSTANCE_STOPPING && instance->stop_when_connected
             && g_hash_table_size (instance->running) == 0);
}

void
vend_instance_kill (Instance *instance)
{
  vend_log (VEND_LOG_WARN, "a director does not hear that it is to stop; killing it", "instance",
            instance->id, NULL);
  g_clear_pointer (&instance->link, vend_link_free);
  instance->sched->runner->end (instance->sched->runner, instance->id);
  reap (instance);
}

void
vend_instance_drain (Instance *instance, const char *reason)
{
  if (instance->draining || instance->state >= INSTANCE_STOPPING)
    return;
  vend_log (VEND_LOG_INFO, "an instance takes no more", "instance", instance->id, "reason", reason,
            NULL);
  instance->draining = true;
  vend_decided_drain (instance, reason);
}

void
vend_instance_adopted (Instance *instance)
{
  vend_metering_catch_up (instance, true);
  if (!instance->adopting)
    return;
  instance->adopting = false;
  vend_sched_adopted_one (instance->sched);
}

typedef struct
{
  Instance *instance;
  GPtrArray *completed; /* of json_t */
} Reaping;

static void
found_result (json_t *completed, void *data)
{
  g_ptr_array_add (data, json_incref (completed));
}

static void
end_and_read (void *data)
{
  Reaping *reaping = data;
  VendRunner *runner = reaping->instance->sched->runner;
  const char *id = reaping->instance->id;
  g_autoptr (GError) error = NULL;
  runner->end (runner, id);
  if (!runner->read_results (runner, id, found_result, reaping->completed, &error))
    vend_log (VEND_LOG_ERROR, "cannot read the results of an instance", "instance", id, "error",
              error->message, NULL);
}

/* Results that its director left count as sent; only then are the remaining runs lost. */
static void
take_leftovers (void *data)
{
  g_autofree Reaping *reaping = data;
  Instance *instance = reaping->instance;
  for (guint i = 0; i < reaping->completed->len; i++)
    vend_instance_on_result (instance, g_ptr_array_index (reaping->completed, i));
  g_ptr_array_unref (reaping->completed);
  vend_metering_catch_up (instance, false);

  /* Each is taken off the instance, and no other with it. */
  g_autoptr (GPtrArray) runs = last_given_first (instance);
  for (guint i = 0; i < runs->len; i++)
    {
      Run *run = g_ptr_array_index (runs, i);
      vend_run_lost (run, VEND_FAILURE_INSTANCE_LOST, run->emitted,
                     "the instance that ran this prediction was lost");
    }
  instance->reaped = true;
  vend_instance_adopted (instance);
  vend_sched_reconcile_soon (instance->sched);
}

static void
reap (Instance *instance)
{
  if (instance->state == INSTANCE_GONE)
    return;
  vend_log (VEND_LOG_INFO, "an instance has gone", "instance", instance->id, "reason",
            instance->why != NULL ? instance->why : "", NULL);
  if (instance->state != INSTANCE_STOPPING && !instance->stop_when_connected)
    vend_decided_gone (instance);
  bool booting = instance->state == INSTANCE_STARTING || instance->state == INSTANCE_BOOTING;
  if (booting && instance->link == NULL && instance->why != NULL && !instance->adopted
      && !instance->stop_when_connected)
    {
      g_autofree char *error = g_strconcat ("its boot was cut off, as ", instance->why, NULL);
      vend_target_boot_lost (instance, error);
    }
  instance->state = INSTANCE_GONE;
  vend_metering_end (instance, instance->closed_us > 0 ? instance->closed_us : vend_now_us ());
  vend_timer_clear (&instance->timer);
  vend_timer_clear (&instance->stop_due);
  Reaping *reaping = g_new0 (Reaping, 1);
  *reaping = (Reaping){ instance, g_ptr_array_new_with_free_func ((GDestroyNotify) json_decref) };
  vend_sched_on_disk (instance->sched, end_and_read, take_leftovers, reaping);
}

/* ---- Cleaning up */

typedef struct
{
  VendRunner *runner;
  char *instance;
} Cleaning;

static void
clean (void *data)
{
  Cleaning *job = data;
  g_autoptr (GError) error = NULL;
  /* What is left is adopted and removed by the next start. */
  if (!job->runner->remove (job->runner, job->instance, &error))
    vend_log (VEND_LOG_WARN, "cannot remove an instance", "instance", job->instance, "error",
              error->message, NULL);
}

static void
cleaned (void *data)
{
  g_autofree Cleaning *job = data;
  g_free (job->instance);
}

bool
vend_instance_clean_up (Instance *instance)
{
  VendSched *sched = instance->sched;
  if (!instance->reaped || instance->checking || instance->learning
      || g_hash_table_size (instance->unsettled) > 0)
    return false;
  Cleaning *job = g_new0 (Cleaning, 1);
  *job = (Cleaning){ sched->runner, g_strdup (instance->id) };
  vend_sched_on_disk (sched, clean, cleaned, job);
  g_ptr_array_remove (instance->target->instances, instance);
  g_hash_table_remove (sched->instances, instance->id);
  return true;
}
