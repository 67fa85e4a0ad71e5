/* Frames of directors, and their effects on instances and predictions. Core thread. */
#include "base/clock.h"
#include "base/log.h"
#include "model/failure.h"
#include "runner/frame.h"
#include "sched/instance/fast-start.h"
#include "sched/instance/instance.h"
#include "sched/instance/metering.h"
#include "sched/observe/decisions.h"
#include "sched/observe/measure.h"
#include "sched/run/outputs.h"
#include "sched/run/run.h"
#include "sched/run/webhook.h"
#include "sched/target/target.h"
#include <string.h>

#define MAX_SETUP_LOGS (256 * 1024)

/* The prediction that a frame is about, if that attempt runs on this instance. */
static Run *
run_of (Instance *instance, const json_t *frame)
{
  const char *id = vend_json_string (frame, "prediction");
  Run *run = id != NULL ? g_hash_table_lookup (instance->sched->runs, id) : NULL;
  if (run == NULL || run->completion != NULL || run->instance != instance
      || run->p->attempt != vend_json_int (frame, "attempt", -1))
    return NULL;
  return run;
}

/* The prediction that a frame claims to run or to have run, attached to this instance if it has
 * none: after a restart of this server the instance may know more than the disk. NULL when the
 * prediction is on another instance, has ended, or the attempt is an old one. */
static Run *
claim (Instance *instance, const json_t *frame)
{
  const char *id = vend_json_string (frame, "prediction");
  int attempt = (int) vend_json_int (frame, "attempt", -1);
  Run *run = id != NULL ? g_hash_table_lookup (instance->sched->runs, id) : NULL;
  if (run == NULL || run->completion != NULL || attempt < run->p->attempt
      || (run->instance != NULL && run->instance != instance))
    return NULL;
  run->p->attempt = attempt;
  if (run->instance == NULL)
    vend_run_attach (run, instance);
  return run;
}

/* ---- State */

static void
became_ready (Instance *instance)
{
  if (instance->state == INSTANCE_READY)
    return;
  int64_t now_us = vend_steady_us ();
  vend_metering_ready (instance);
  instance->state = INSTANCE_READY;
  instance->ready_us = now_us;
  if (g_hash_table_size (instance->running) == 0)
    instance->idle_since_us = now_us;
  instance->target->backoff = (VendBootBackoff){ 0 };
  if (!instance->adopted)
    {
      vend_measure_boot (&instance->target->boot_us, now_us - instance->created_us);
      vend_least_note (&instance->target->least_boot, now_us - instance->created_us);
      vend_fast_start_ready (instance);
      vend_measure_ready (instance);
      vend_decided_ready (instance);
    }
  vend_log (VEND_LOG_INFO, "an instance is ready", "instance", instance->id, "model",
            instance->target->name, NULL);
  vend_target_dispatch (instance->target);
}

static void
set_setup_logs (Instance *instance, const json_t *frame)
{
  const char *logs = vend_json_string (frame, "setup_logs");
  if (logs != NULL && *logs != '\0')
    g_string_assign (instance->setup_logs, logs);
}

/* With `drains` the model finishes its other runs, each within its own time limit. */
static void
became_unhealthy (Instance *instance, const json_t *frame)
{
  const char *error = vend_json_string (frame, "error");
  const char *why = error != NULL ? error : "unhealthy";
  if (vend_json_bool (frame, "drains", false) && g_hash_table_size (instance->running) > 0)
    {
      vend_instance_drain (instance, why);
      became_ready (instance);
    }
  else
    vend_instance_stop (instance, why);
}

static void
on_state (Instance *instance, const json_t *frame)
{
  const char *state = vend_json_string (frame, "state");
  const char *error = vend_json_string (frame, "error");
  const char *error_code = vend_json_string (frame, "error_code");
  set_setup_logs (instance, frame);
  vend_fast_start_heard (instance, frame);
  if (g_strcmp0 (state, "stopping") == 0 || g_strcmp0 (state, "stopped") == 0)
    instance->hears_stop = true;
  if (state == NULL || instance->state == INSTANCE_STOPPING || instance->state == INSTANCE_GONE)
    return;

  if (strcmp (state, "starting") == 0)
    instance->state = INSTANCE_BOOTING;
  else if (strcmp (state, "ready") == 0)
    {
      instance->setup_us = MAX (vend_json_int (frame, "setup_us", 0), 0);
      became_ready (instance);
    }
  else if (strcmp (state, "failed") == 0)
    {
      instance->state = INSTANCE_BOOTING;
      vend_target_boot_failed (instance->target,
                               error_code != NULL ? error_code : VEND_FAILURE_SETUP_FAILED,
                               instance->setup_logs->str, error != NULL ? error : "setup failed");
      vend_instance_stop (instance, "it did not become ready");
    }
  else if (strcmp (state, "unhealthy") == 0)
    became_unhealthy (instance, frame);
  vend_sched_reconcile_soon (instance->sched);
}

/* ---- Predictions */

/* Runs that a director continues, or knew before a restart of this server. */
static void
on_running (Instance *instance, const json_t *entry)
{
  const char *id = vend_json_string (entry, "prediction");
  Run *run = claim (instance, entry);
  vend_metering_heard (instance, vend_json_int (entry, "started_us", 0), 0);
  if (run == NULL)
    {
      if (id != NULL)
        vend_instance_drop (instance, id, (int) vend_json_int (entry, "attempt", 0));
      return;
    }
  const char *logs = vend_json_string (entry, "logs");
  json_t *output = json_object_get (entry, "output");
  int64_t started_us = vend_json_int (entry, "started_us", 0);
  if (logs != NULL)
    {
      g_string_assign (run->logs, logs);
      run->is_viewed = false;
    }
  if (json_is_array (output))
    vend_run_take_chunks (run, output);
  run->emitted = run->emitted || vend_json_int (entry, "chunks", 0) > 0;
  if (started_us > 0)
    vend_run_started (run, started_us);
  if (run->p->cancel_requested)
    vend_instance_cancel (instance, run);
}

static bool
is_listed (const json_t *running, const char *prediction)
{
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) running, i, entry)
    if (g_strcmp0 (vend_json_string (entry, "prediction"), prediction) == 0)
      return true;
  return false;
}

static void
on_hello (Instance *instance, const json_t *frame)
{
  vend_metering_heard_ready (instance, vend_json_int (frame, "ready_us", 0));
  const json_t *running = json_object_get (frame, "running");
  size_t i;
  json_t *entry;
  GHashTableIter iter;
  void *value;

  json_array_foreach ((json_t *) running, i, entry)
    on_running (instance, entry);
  /* Runs that the director does not list were lost on the way, or have ended: then a result follows
   * at once, and the director ignores a repeated run. */
  g_hash_table_iter_init (&iter, instance->running);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Run *run = value;
      if (is_listed (running, run->p->id))
        continue;
      vend_instance_run (instance, run);
      if (run->p->cancel_requested)
        vend_instance_cancel (instance, run);
    }
  instance->pings = vend_json_bool (frame, "pings", false);
  instance->prefetch = (guint) CLAMP (vend_json_int (frame, "ahead", 0), 0,
                                      MAX (instance->slots, VEND_PREFETCH_MAX));
  if (instance->state == INSTANCE_STARTING)
    instance->state = INSTANCE_BOOTING;
  if (instance->stop_when_connected)
    vend_instance_stop (instance, "not needed any more");
  else
    on_state (instance, frame);
}

static void
on_log (Run *run, const json_t *frame)
{
  const char *text = vend_json_string (frame, "data");
  gsize room = (gsize) run->sched->limits.max_logs + 256;
  if (text != NULL && run->logs->len < room)
    {
      g_string_append_len (run->logs, text, (gssize) MIN (strlen (text), room - run->logs->len));
      run->is_viewed = false;
      vend_run_webhook_changed (run, VEND_WEBHOOK_LOGS);
    }
}

static void
on_metric (Run *run, const json_t *frame)
{
  const char *name = vend_json_string (frame, "name");
  json_t *value = json_object_get (frame, "value");
  if (name == NULL || value == NULL)
    return;
  if (run->p->metrics == NULL)
    run->p->metrics = json_object ();
  json_object_set (run->p->metrics, name, value);
}

static void
on_completed (Instance *instance, const json_t *frame)
{
  const char *id = vend_json_string (frame, "prediction");
  const char *code = vend_json_string (frame, "error_code");
  int attempt = (int) vend_json_int (frame, "attempt", -1);
  int64_t started_us = vend_json_int (frame, "started_us", 0);
  int64_t completed_us = vend_json_int (frame, "completed_us", 0);
  RunResult end = { .status = VEND_STATUS_FAILED };
  if (id == NULL)
    return;
  instance->behind_s = 0;
  vend_metering_heard (instance, started_us, completed_us);
  Run *run = claim (instance, frame);
  if (run == NULL)
    {
      /* Of an earlier attempt, or stored already. While the end is being stored, the
       * acknowledgement follows later. */
      Run *other = g_hash_table_lookup (instance->sched->runs, id);
      if (other != NULL && other->completion != NULL && other->p->attempt == attempt)
        return;
      vend_outputs_forget (instance->sched, json_object_get (frame, "output"));
      vend_instance_settle (instance, id, attempt);
      return;
    }
  if (vend_failure_is_loss (code))
    {
      if (started_us > 0)
        run->p->started_us = MAX (started_us, run->earliest_us);
      const char *why = vend_json_string (frame, "error");
      vend_instance_settle (instance, id, attempt);
      /* Nothing more goes to this instance, least of all the retry. */
      vend_instance_stop (instance, why != NULL ? why : "it lost a prediction");
      vend_run_lost (run, code, run->emitted || vend_json_bool (frame, "emitted", false),
                     why != NULL ? why : "the instance that ran this prediction was lost");
      return;
    }
  if (!vend_status_parse (vend_json_string (frame, "status"), &end.status)
      || !vend_status_is_terminal (end.status))
    end.status = VEND_STATUS_FAILED;
  end.output = json_object_get (frame, "output");
  end.error = vend_json_string (frame, "error");
  end.error_code = code;
  end.logs = vend_json_string (frame, "logs");
  end.metrics = json_object_get (frame, "metrics");
  end.started_us = started_us;
  end.completed_us = completed_us;
  vend_fast_start_learn (instance);
  if (end.status == VEND_STATUS_SUCCEEDED)
    instance->failures = 0;
  else if (end.status == VEND_STATUS_FAILED)
    instance->failures++;
  if (started_us > 0)
    {
      vend_measure_run (&instance->target->run_us, ++instance->target->n_measured_runs,
                        completed_us - started_us);
      if (end.status != VEND_STATUS_CANCELED)
        vend_least_note (&instance->target->least_run, completed_us - started_us);
    }
  vend_instance_unsettle (instance, id, attempt);
  /* The slot gets its next run first; the result is stored meanwhile. */
  vend_instance_detach (instance, run);
  instance->moved_us = vend_steady_us ();
  vend_target_dispatch (instance->target);
  vend_run_complete (run, &end);
}

void
vend_instance_on_result (Instance *instance, json_t *completed)
{
  on_completed (instance, completed);
}

void
vend_instance_on_frame (Instance *instance, json_t *frame)
{
  const char *event = vend_json_string (frame, "event");
  Run *run = NULL;
  if (event == NULL)
    return;
  if (strcmp (event, "hello") == 0)
    on_hello (instance, frame);
  else if (strcmp (event, "caught_up") == 0)
    {
      instance->caught_up = true;
      instance->behind_s = 0;
      vend_instance_adopted (instance);
    }
  else if (strcmp (event, "state") == 0)
    on_state (instance, frame);
  else if (strcmp (event, "completed") == 0)
    on_completed (instance, frame);
  else if (strcmp (event, "setup_log") == 0)
    {
      const char *text = vend_json_string (frame, "data");
      if (text != NULL && instance->setup_logs->len + strlen (text) <= MAX_SETUP_LOGS)
        g_string_append (instance->setup_logs, text);
    }
  else if ((run = run_of (instance, frame)) == NULL)
    return;
  else if (strcmp (event, "start") == 0)
    vend_run_started (run, vend_json_int (frame, "at_us", vend_now_us ()));
  else if (strcmp (event, "given_back") == 0)
    vend_run_released (run);
  else if (strcmp (event, "output") == 0)
    vend_run_take_chunk (run, vend_json_int (frame, "index", -1), json_object_get (frame, "chunk"));
  else if (strcmp (event, "log") == 0)
    on_log (run, frame);
  else if (strcmp (event, "metric") == 0)
    on_metric (run, frame);
}
