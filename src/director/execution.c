/* The life of one run: inputs, deadlines, cancel, end. Main context. */
#include "director/execution.h"
#include "base/clock.h"
#include "base/error.h"
#include "director/execution-private.h"
#include "model/failure.h"
#include "runner/frame.h"
#include "runner/journal.h"
#include <string.h>

#define CANCEL_RETRY_MS 100
#define CANCEL_SURE_US (50 * VEND_US_PER_MS)
#define OUTPUT_SHARE 4 /* of the memory; the server has little of its own */
#define LINGER_MS 1000 /* for the end of a reply whose last event is there */

static bool
is_plain_id (const char *text)
{
  const gsize length = strlen (text);
  return length > 0 && length <= 64
         && strspn (text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
                == length;
}

bool
vend_execution_command_check (const json_t *command, GError **error)
{
  const char *prediction = vend_json_string (command, "prediction");
  if (prediction == NULL || !is_plain_id (prediction))
    return vend_fail (error, VEND_ERROR_INVALID, "command: 'prediction' is missing or not an id");
  if (vend_json_int (command, "attempt", -1) < 0)
    return vend_fail (error, VEND_ERROR_INVALID, "command: 'attempt' is missing");
  return true;
}

char *
vend_execution_command_key (const json_t *command)
{
  return vend_journal_key (vend_json_string (command, "prediction"),
                           vend_json_int (command, "attempt", 0));
}

static void
clear_timer (guint *source)
{
  if (*source != 0)
    g_source_remove (*source);
  *source = 0;
}

static guint
add_timer (int64_t delay_us, GSourceFunc callback, VendExecution *execution)
{
  const int64_t ms = (delay_us + VEND_US_PER_MS - 1) / VEND_US_PER_MS;
  return g_timeout_add ((guint) CLAMP (ms, 0, G_MAXINT32), callback, execution);
}

json_t *
vend_execution_event (const VendExecution *execution, const char *event)
{
  json_t *frame = json_object ();
  json_object_set_new (frame, "event", json_string (event));
  json_object_set_new (frame, "prediction", json_string (execution->prediction));
  vend_json_set_int (frame, "attempt", execution->number);
  return frame;
}

/* ---- The end. */

static void
release_call (VendExecution *execution)
{
  if (execution->env->server != NULL)
    execution->env->server->kind->release (execution);
}

static gboolean
on_linger_over (void *user_data)
{
  VendExecution *execution = user_data;
  execution->linger_source = 0;
  release_call (execution);
  execution->env->released (execution, execution->env->context);
  return G_SOURCE_REMOVE;
}

void
vend_execution_leave_slot (VendExecution *execution)
{
  execution->has_left_slot = true;
  execution->env->left_slot (execution, execution->env->context);
}

bool
vend_execution_has_left_slot (const VendExecution *execution)
{
  return execution->has_left_slot;
}

void
vend_execution_closed (VendExecution *execution)
{
  clear_timer (&execution->linger_source);
  execution->env->released (execution, execution->env->context);
}

static void
set_error (json_t *frame, const char *error)
{
  if (error == NULL)
    return;
  json_object_set_new (
      frame, "error", vend_json_string_new (error, MIN (strlen (error), VEND_EXECUTION_ERROR_MAX)));
}

void
vend_execution_fit_end (json_t *frame, gsize limit)
{
  if (vend_frame_size (frame) <= limit)
    return;
  json_object_del (frame, "output");
  if (g_strcmp0 (vend_json_string (frame, "status"), "succeeded") != 0)
    return;
  g_autofree char *text
      = g_strdup_printf ("the output takes more than %" G_GSIZE_FORMAT " bytes as JSON", limit);
  vend_json_set_string (frame, "status", "failed");
  vend_json_set_string (frame, "error", text);
  vend_json_set_string (frame, "error_code", VEND_FAILURE_OUTPUT_TOO_LARGE);
}

static json_t *
completed_frame (VendExecution *execution, VendExecutionEnd *end)
{
  json_t *frame = vend_execution_event (execution, "completed");
  vend_json_set_string (frame, "status", end->status);
  if (end->output != NULL)
    json_object_set_new (frame, "output", g_steal_pointer (&end->output));
  set_error (frame, end->error);
  if (end->code != NULL)
    vend_json_set_string (frame, "error_code", end->code);
  if (vend_failure_is_loss (end->code))
    vend_json_set_bool (frame, "emitted", json_array_size (execution->chunks) > 0);
  json_object_set_new (frame, "logs",
                       vend_json_string_new (execution->logs->str, execution->logs->len));
  json_object_set (frame, "metrics",
                   end->metrics != NULL ? (json_t *) end->metrics : execution->metrics.values);
  json_object_set_new (frame, "started_us",
                       execution->started_us > 0 ? json_integer (execution->started_us)
                                                 : json_null ());
  /* The time that it took is paid for, whatever the clock did meanwhile. */
  vend_json_set_int (frame, "completed_us",
                     execution->started_us > 0
                         ? execution->started_us + vend_steady_us () - execution->began_us
                         : vend_now_us ());
  vend_redact_frame (execution->env->redactor, frame);
  vend_execution_fit_end (frame, execution->env->frame_limit);
  return frame;
}

/* The model server holds all of an output while it passes it on. Where that is what took the
 * memory, the next attempt would end the same way. Which of several runs it was cannot be known. */
static bool
took_memory_for_output (const VendExecution *execution)
{
  const uint64_t limit = execution->env->spec->limits.memory;
  return limit > 0 && execution->started_us > 0 && execution->env->spec->slots == 1
         && execution->env->server_peak (execution->env->context)
                > execution->peak_before + limit / OUTPUT_SHARE;
}

void
vend_execution_end (VendExecution *execution, VendExecutionEnd end)
{
  if (execution->phase == VEND_EXECUTION_ENDED)
    {
      json_decref (end.output);
      return;
    }
  /* A crash and an end for want of memory look alike from here. */
  g_autofree char *memory = end.sick != NULL && vend_failure_is_loss (end.code)
                                ? execution->env->out_of_memory (execution->env->context)
                                : NULL;
  if (memory != NULL)
    {
      end.error = end.sick = memory;
      end.code = VEND_FAILURE_OUT_OF_MEMORY;
    }
  g_autofree char *held = NULL;
  if (g_strcmp0 (end.code, VEND_FAILURE_OUT_OF_MEMORY) == 0 && took_memory_for_output (execution))
    {
      held
          = g_strdup_printf ("%s while the model server held the output, which it does with all of "
                             "it until it is passed on",
                             end.error);
      end.error = held;
      end.code = VEND_FAILURE_OUTPUT_TOO_LARGE;
    }
  vend_execution_end_logs (execution);
  vend_execution_flush_logs (execution);
  execution->phase = VEND_EXECUTION_ENDED;
  clear_timer (&execution->timeout_source);
  clear_timer (&execution->grace_source);
  clear_timer (&execution->cancel_source);
  vend_loopback_forget (execution->env->loopback, execution->cog_id);
  json_t *frame = completed_frame (execution, &end);

  /* The rest of the reply is read, so that its connection serves the next run. */
  const bool is_open
      = execution->env->server != NULL && execution->env->server->kind->ended (execution);
  execution->linger_source = g_timeout_add (is_open ? LINGER_MS : 0, on_linger_over, execution);
  execution->env->ended (execution, frame, end.sick, execution->env->context);
}

void
vend_execution_end_lost (VendExecution *execution, const char *why)
{
  vend_execution_end (execution, (VendExecutionEnd){ .status = "failed",
                                                     .error = why,
                                                     .code = VEND_FAILURE_INSTANCE_LOST,
                                                     .sick = why });
}

/* What happens to the model now is no matter of a run that it is done with. */
static bool
is_told (const VendExecution *execution)
{
  const VendModelServer *server = execution->env->server;
  return execution->phase != VEND_EXECUTION_ENDED && server != NULL && server->kind->is_told != NULL
         && server->kind->is_told (execution);
}

void
vend_execution_lose (VendExecution *execution, const char *why, const char *code)
{
  if (is_told (execution))
    {
      execution->env->server->kind->settle (execution);
      return;
    }
  vend_execution_end (execution,
                      (VendExecutionEnd){ .status = "failed", .error = why, .code = code });
}

static void ask_cancel (VendExecution *execution);

static gboolean
on_cancel_again (void *user_data)
{
  VendExecution *execution = user_data;
  execution->cancel_source = 0;
  ask_cancel (execution);
  return G_SOURCE_REMOVE;
}

void
vend_execution_cancel_sent (VendExecution *execution, bool was_heard)
{
  /* Before the model's function is entered the server may not know the run yet, or take a cancel
   * that then has no effect; later a second one would interrupt the model's cleaning up. */
  const bool too_early = !was_heard || execution->started_us == 0
                         || execution->cancel_sent_us - execution->began_us < CANCEL_SURE_US;
  if (too_early && execution->phase != VEND_EXECUTION_ENDED && execution->cancel_source == 0)
    execution->cancel_source = g_timeout_add (CANCEL_RETRY_MS, on_cancel_again, execution);
}

static void
ask_cancel (VendExecution *execution)
{
  if (execution->env->server != NULL)
    execution->env->server->kind->cancel (execution);
}

void
vend_execution_end_early (VendExecution *execution, const char *error, const char *code)
{
  ask_cancel (execution);
  execution->env->patient_until_us
      = g_get_monotonic_time () + execution->env->spec->cancel_grace_us;
  vend_execution_end (execution,
                      (VendExecutionEnd){ .status = "failed", .error = error, .code = code });
}

void
vend_execution_end_too_large (VendExecution *execution)
{
  if (execution->phase == VEND_EXECUTION_ENDED)
    return;
  g_autofree char *text = g_strdup_printf (
      "the output is larger than %" G_GUINT64_FORMAT " bytes%s", execution->env->spec->max_output,
      execution->env->spec->train ? "; return the path of the weights alone, which may be larger"
                                  : "");
  vend_execution_end_early (execution, text, VEND_FAILURE_OUTPUT_TOO_LARGE);
}

/* ---- Cancel and deadlines. */

static void
end_stopped (VendExecution *execution, bool by_force)
{
  g_autofree char *late = g_strdup_printf ("the prediction did not end within %.6g s",
                                           (double) execution->timeout_us / (double) VEND_US_PER_S);
  const char *sick = by_force ? "the model ignored a cancel" : NULL;
  if (execution->timed_out)
    vend_execution_end (execution, (VendExecutionEnd){ .status = "failed",
                                                       .error = late,
                                                       .code = VEND_FAILURE_PREDICT_TIMEOUT,
                                                       .sick = sick });
  else
    vend_execution_end (execution,
                        (VendExecutionEnd){ .status = "canceled",
                                            .code = by_force ? VEND_FAILURE_CANCEL_TIMEOUT : NULL,
                                            .sick = sick });
}

static gboolean
on_grace_over (void *user_data)
{
  VendExecution *execution = user_data;
  execution->grace_source = 0;
  if (is_told (execution))
    execution->env->server->kind->settle (execution);
  else
    end_stopped (execution, true);
  return G_SOURCE_REMOVE;
}

static void
stop_execution (VendExecution *execution)
{
  const VendModelServer *server = execution->env->server;
  const bool with_server = execution->phase >= VEND_EXECUTION_CALLING && server != NULL
                           && server->kind->is_asked (execution);
  if (!with_server)
    {
      end_stopped (execution, false);
      return;
    }
  execution->grace_source
      = add_timer (execution->env->spec->cancel_grace_us, on_grace_over, execution);
  ask_cancel (execution);
}

void
vend_execution_cancel (VendExecution *execution)
{
  if (execution->phase == VEND_EXECUTION_ENDED || execution->cancel_asked || execution->timed_out
      || is_told (execution))
    return;
  execution->cancel_asked = true;
  stop_execution (execution);
}

static gboolean
on_timeout (void *user_data)
{
  VendExecution *execution = user_data;
  execution->timeout_source = 0;
  if (execution->cancel_asked || is_told (execution))
    return G_SOURCE_REMOVE;
  execution->timed_out = true;
  stop_execution (execution);
  return G_SOURCE_REMOVE;
}

/* ---- The beginning. */

static void
call (VendExecution *execution)
{
  VendModelServer *server = execution->env->server;
  execution->phase = VEND_EXECUTION_CALLING;
  if (server != NULL)
    server->kind->execute (server, execution);
  else
    vend_execution_end_lost (execution, "there is no model server");
}

static void
on_inputs_ready (const char *problem, void *user_data)
{
  VendExecution *execution = user_data;
  if (execution->phase != VEND_EXECUTION_INPUTS)
    return;
  if (problem != NULL)
    vend_execution_end (execution,
                        (VendExecutionEnd){ .status = "failed",
                                            .error = problem,
                                            .code = VEND_FAILURE_INPUT_DOWNLOAD_FAILED });
  else
    call (execution);
}

VendExecution *
vend_execution_new (VendExecutionEnv *env, const json_t *command)
{
  VendExecution *execution = g_new0 (VendExecution, 1);
  execution->env = env;
  execution->prediction = g_strdup (vend_json_string (command, "prediction"));
  execution->number = vend_json_int (command, "attempt", 0);
  execution->key = vend_execution_command_key (command);
  /* The server joins it to a path and the model may see it: one plain word, once per attempt. */
  execution->cog_id
      = execution->number <= 1
            ? g_strdup (execution->prediction)
            : g_strdup_printf ("%s-%" G_GINT64_FORMAT, execution->prediction, execution->number);
  execution->may_rerun = vend_json_bool (command, "retry_safe", true);
  json_t *input = json_object_get (command, "input");
  execution->input = json_is_object (input) ? json_deep_copy (input) : json_object ();
  execution->timeout_us = vend_json_int (command, "timeout_us", 0);
  execution->chunks = json_array ();
  vend_metrics_init (&execution->metrics);
  execution->logs = g_string_new (NULL);
  execution->logs_held = g_string_new (NULL);
  execution->files.folder = g_build_filename (env->dir, "outputs", NULL);
  execution->files.max_file = env->spec->max_output_file;
  execution->files.prefix = execution->key;
  return execution;
}

void
vend_execution_begin (VendExecution *execution, const json_t *files)
{
  VendExecutionEnv *env = execution->env;
  if (execution->timeout_us > 0)
    execution->timeout_source = add_timer (execution->timeout_us, on_timeout, execution);

  const VendInputsOptions options = { .egress = env->egress,
                                      .dialer = env->dialer,
                                      .loopback = env->loopback,
                                      .dir = env->dir,
                                      .cog_id = execution->cog_id,
                                      .max_file = env->spec->max_input_file,
                                      .timeout_us = env->spec->input_timeout_us,
                                      .stall_us = env->spec->input_stall_us,
                                      .min_speed = env->spec->input_min_speed,
                                      .ready = on_inputs_ready,
                                      .data = execution };
  execution->inputs = vend_inputs_start (&options, execution->input, files);
  if (execution->inputs == NULL)
    call (execution);
}

void
vend_execution_free (VendExecution *execution)
{
  if (execution == NULL)
    return;
  release_call (execution);
  clear_timer (&execution->timeout_source);
  clear_timer (&execution->grace_source);
  clear_timer (&execution->cancel_source);
  clear_timer (&execution->linger_source);
  clear_timer (&execution->flush_source);
  vend_inputs_free (execution->inputs);
  json_decref (execution->input);
  json_decref (execution->chunks);
  vend_metrics_clear (&execution->metrics);
  g_string_free (execution->logs, TRUE);
  g_string_free (execution->logs_held, TRUE);
  g_free ((char *) execution->files.folder);
  g_free (execution->prediction);
  g_free (execution->key);
  g_free (execution->cog_id);
  g_free (execution);
}

const char *
vend_execution_key (const VendExecution *execution)
{
  return execution->key;
}

const char *
vend_execution_cog_id (const VendExecution *execution)
{
  return execution->cog_id;
}

json_t *
vend_execution_snapshot (const VendExecution *execution, gsize *budget)
{
  json_t *entry = json_object ();
  json_object_set_new (entry, "prediction", json_string (execution->prediction));
  vend_json_set_int (entry, "attempt", execution->number);
  if (execution->started_us > 0)
    vend_json_set_int (entry, "started_us", execution->started_us);
  vend_json_set_int (entry, "chunks", (int64_t) json_array_size (execution->chunks));
  if (json_array_size (execution->chunks) > 0 && execution->chunk_bytes <= *budget)
    {
      *budget -= execution->chunk_bytes;
      json_object_set (entry, "output", execution->chunks);
    }
  const gsize logs_size = MIN (execution->logs_flushed, *budget);
  *budget -= logs_size;
  json_object_set_new (entry, "logs", vend_json_string_new (execution->logs->str, logs_size));
  json_object_set_new (entry, "metrics", json_object ());
  const gsize metrics_size = vend_json_size (execution->metrics.values);
  if (metrics_size <= *budget)
    {
      *budget -= metrics_size;
      json_object_set (entry, "metrics", execution->metrics.values);
    }
  return entry;
}

json_t *
vend_execution_never_begun (const json_t *command, const char *status, const char *why)
{
  json_t *frame = json_object ();
  vend_json_set_string (frame, "event", "completed");
  json_object_set (frame, "prediction", json_object_get (command, "prediction"));
  json_object_set (frame, "attempt", json_object_get (command, "attempt"));
  vend_json_set_string (frame, "status", status);
  if (why != NULL)
    {
      vend_json_set_string (frame, "error", why);
      vend_json_set_string (frame, "error_code", VEND_FAILURE_INSTANCE_LOST);
      vend_json_set_bool (frame, "emitted", false);
    }
  vend_json_set_string (frame, "logs", "");
  json_object_set_new (frame, "metrics", json_object ());
  vend_json_set_string (frame, "started_us", NULL);
  vend_json_set_int (frame, "completed_us", vend_now_us ());
  return frame;
}
