/* The life of one run: inputs, deadlines, cancel, end. Main context. */
#include "director/run.h"
#include "base/clock.h"
#include "base/error.h"
#include "director/run-private.h"
#include "model/failure.h"
#include "runner/frame.h"
#include "runner/journal.h"
#include <string.h>

#define CANCEL_RETRY_MS 100
#define CANCEL_SURE_US (50 * VEND_US_PER_MS)
#define CANCEL_CALL_TIMEOUT_MS 5000L
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
vend_run_command_check (const json_t *command, GError **error)
{
  const char *prediction = vend_json_string (command, "prediction");
  if (prediction == NULL || !is_plain_id (prediction))
    return vend_fail (error, VEND_ERROR_INVALID, "command: 'prediction' is missing or not an id");
  if (vend_json_int (command, "attempt", -1) < 0)
    return vend_fail (error, VEND_ERROR_INVALID, "command: 'attempt' is missing");
  return true;
}

char *
vend_run_command_key (const json_t *command)
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
add_timer (int64_t delay_us, GSourceFunc callback, VendRun *run)
{
  const int64_t ms = (delay_us + VEND_US_PER_MS - 1) / VEND_US_PER_MS;
  return g_timeout_add ((guint) CLAMP (ms, 0, G_MAXINT32), callback, run);
}

json_t *
vend_run_event (const VendRun *run, const char *event)
{
  json_t *frame = json_object ();
  json_object_set_new (frame, "event", json_string (event));
  json_object_set_new (frame, "prediction", json_string (run->prediction));
  vend_json_set_int (frame, "attempt", run->attempt);
  return frame;
}

/* ---- The end. */

static gboolean
on_linger_over (void *user_data)
{
  VendRun *run = user_data;
  run->linger_source = 0;
  vend_run_call_stop (run);
  run->env->released (run, run->env->context);
  return G_SOURCE_REMOVE;
}

static void
set_error (json_t *frame, const char *error)
{
  if (error == NULL)
    return;
  json_object_set_new (frame, "error",
                       vend_json_string_new (error, MIN (strlen (error), VEND_RUN_ERROR_MAX)));
}

void
vend_run_fit_end (json_t *frame, gsize limit)
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
completed_frame (VendRun *run, VendRunEnd *end)
{
  json_t *frame = vend_run_event (run, "completed");
  vend_json_set_string (frame, "status", end->status);
  if (end->output != NULL)
    json_object_set_new (frame, "output", g_steal_pointer (&end->output));
  set_error (frame, end->error);
  if (end->code != NULL)
    vend_json_set_string (frame, "error_code", end->code);
  if (vend_failure_is_loss (end->code))
    vend_json_set_bool (frame, "emitted", json_array_size (run->chunks) > 0);
  json_object_set_new (frame, "logs", vend_json_string_new (run->logs->str, run->logs->len));
  json_object_set (frame, "metrics", end->metrics != NULL ? end->metrics : run->metrics);
  json_object_set_new (frame, "started_us",
                       run->started_us > 0 ? json_integer (run->started_us) : json_null ());
  /* The time that it took is paid for, whatever the clock did meanwhile. */
  vend_json_set_int (frame, "completed_us",
                     run->started_us > 0 ? run->started_us + vend_steady_us () - run->began_us
                                         : vend_now_us ());
  vend_run_fit_end (frame, run->env->frame_limit);
  return frame;
}

/* The model server holds all of an output while it passes it on. Where that is what took the
 * memory, the next attempt would end the same way. Which of several runs it was cannot be known. */
static bool
took_memory_for_output (const VendRun *run)
{
  const uint64_t limit = run->env->spec->limits.memory;
  return limit > 0 && run->started_us > 0 && run->env->spec->slots == 1
         && run->env->server_peak (run->env->context) > run->peak_before + limit / OUTPUT_SHARE;
}

void
vend_run_end (VendRun *run, VendRunEnd end)
{
  if (run->phase == VEND_RUN_ENDED)
    {
      json_decref (end.output);
      return;
    }
  /* A crash and an end for want of memory look alike from here. */
  g_autofree char *memory = end.sick != NULL && vend_failure_is_loss (end.code)
                                ? run->env->out_of_memory (run->env->context)
                                : NULL;
  if (memory != NULL)
    {
      end.error = end.sick = memory;
      end.code = VEND_FAILURE_OUT_OF_MEMORY;
    }
  g_autofree char *held = NULL;
  if (g_strcmp0 (end.code, VEND_FAILURE_OUT_OF_MEMORY) == 0 && took_memory_for_output (run))
    {
      held
          = g_strdup_printf ("%s while the model server held the output, which it does with all of "
                             "it until it is passed on",
                             end.error);
      end.error = held;
      end.code = VEND_FAILURE_OUTPUT_TOO_LARGE;
    }
  vend_run_flush_logs (run);
  run->phase = VEND_RUN_ENDED;
  vend_run_let_go (run);
  clear_timer (&run->timeout_source);
  clear_timer (&run->grace_source);
  clear_timer (&run->retry_source);
  clear_timer (&run->cancel_source);
  vend_loopback_forget (run->env->loopback, run->cog_id);
  vend_loopback_forget (run->env->loopback, run->call_id);
  json_t *frame = completed_frame (run, &end);

  /* The rest of the reply is read, so that its connection serves the next run. */
  run->linger_source = g_timeout_add (run->easy != NULL ? LINGER_MS : 0, on_linger_over, run);
  run->env->ended (run, frame, end.sick, run->env->context);
}

void
vend_run_end_lost (VendRun *run, const char *why)
{
  vend_run_end (
      run, (VendRunEnd){
               .status = "failed", .error = why, .code = VEND_FAILURE_INSTANCE_LOST, .sick = why });
}

void
vend_run_lose (VendRun *run, const char *why, const char *code)
{
  vend_run_end (run, (VendRunEnd){ .status = "failed", .error = why, .code = code });
}

void
vend_run_end_early (VendRun *run, const char *error, const char *code)
{
  vend_run_ask_cancel (run);
  run->env->patient_until_us = g_get_monotonic_time () + run->env->spec->cancel_grace_us;
  vend_run_end (run, (VendRunEnd){ .status = "failed", .error = error, .code = code });
}

void
vend_run_end_too_large (VendRun *run)
{
  if (run->phase == VEND_RUN_ENDED)
    return;
  g_autofree char *text = g_strdup_printf ("the output is larger than %" G_GUINT64_FORMAT " bytes",
                                           run->env->spec->max_output);
  vend_run_end_early (run, text, VEND_FAILURE_OUTPUT_TOO_LARGE);
}

/* ---- Cancel and deadlines. */

static gboolean
on_cancel_again (void *user_data)
{
  VendRun *run = user_data;
  run->cancel_source = 0;
  vend_run_ask_cancel (run);
  return G_SOURCE_REMOVE;
}

static void
on_cancel_reply (long status, const char *body, gsize size, const char *problem, void *user_data)
{
  VendRun *run = user_data;
  run->cancel_call = NULL;
  /* Before the model's function is entered the server may not know the run yet, or take a cancel
   * that then has no effect; later a second one would interrupt the model's cleaning up. */
  const bool too_early = status != 200 || run->started_us == 0
                         || run->cancel_sent_us - run->began_us < CANCEL_SURE_US;
  if (too_early && run->phase != VEND_RUN_ENDED)
    run->cancel_source = g_timeout_add (CANCEL_RETRY_MS, on_cancel_again, run);
}

void
vend_run_ask_cancel (VendRun *run)
{
  if (run->cancel_call != NULL)
    return;
  run->cancel_sent_us = vend_steady_us ();
  g_autofree char *url
      = g_strdup_printf ("%s/%s/%s/cancel", run->env->base_url,
                         run->env->spec->train ? "trainings" : "predictions", run->call_id);
  run->cancel_call = vend_cog_call_start (run->env->curl, "POST", url, "{}", CANCEL_CALL_TIMEOUT_MS,
                                          on_cancel_reply, run);
}

static void
end_stopped (VendRun *run, bool by_force)
{
  g_autofree char *late = g_strdup_printf ("the prediction did not end within %.6g s",
                                           (double) run->timeout_us / (double) VEND_US_PER_S);
  const char *sick = by_force ? "the model ignored a cancel" : NULL;
  if (run->timed_out)
    vend_run_end (run, (VendRunEnd){ .status = "failed",
                                     .error = late,
                                     .code = VEND_FAILURE_PREDICT_TIMEOUT,
                                     .sick = sick });
  else
    vend_run_end (run, (VendRunEnd){ .status = "canceled",
                                     .code = by_force ? VEND_FAILURE_CANCEL_TIMEOUT : NULL,
                                     .sick = sick });
}

static gboolean
on_grace_over (void *user_data)
{
  VendRun *run = user_data;
  run->grace_source = 0;
  end_stopped (run, true);
  return G_SOURCE_REMOVE;
}

static void
stop_run (VendRun *run)
{
  const bool with_server = run->easy != NULL || run->phase == VEND_RUN_RUNNING
                           || (run->phase == VEND_RUN_CALLING && run->retry_source == 0);
  if (!with_server)
    {
      end_stopped (run, false);
      return;
    }
  run->grace_source = add_timer (run->env->spec->cancel_grace_us, on_grace_over, run);
  vend_run_ask_cancel (run);
}

void
vend_run_cancel (VendRun *run)
{
  if (run->phase == VEND_RUN_ENDED || run->cancel_asked || run->timed_out)
    return;
  run->cancel_asked = true;
  stop_run (run);
}

static gboolean
on_timeout (void *user_data)
{
  VendRun *run = user_data;
  run->timeout_source = 0;
  if (run->cancel_asked)
    return G_SOURCE_REMOVE;
  run->timed_out = true;
  stop_run (run);
  return G_SOURCE_REMOVE;
}

/* ---- The beginning. */

static void
on_inputs_ready (const char *problem, void *user_data)
{
  VendRun *run = user_data;
  if (run->phase != VEND_RUN_INPUTS)
    return;
  if (problem != NULL)
    vend_run_end (run, (VendRunEnd){ .status = "failed",
                                     .error = problem,
                                     .code = VEND_FAILURE_INPUT_DOWNLOAD_FAILED });
  else
    vend_run_call (run);
}

static json_t *
find_upload (const char *text, void *user_data)
{
  const VendRun *run = user_data;
  return vend_loopback_claim (run->env->loopback, run->call_id, text);
}

VendRun *
vend_run_start (VendRunEnv *env, const json_t *command)
{
  VendRun *run = g_new0 (VendRun, 1);
  run->env = env;
  run->prediction = g_strdup (vend_json_string (command, "prediction"));
  run->attempt = vend_json_int (command, "attempt", 0);
  run->key = vend_run_command_key (command);
  /* The server joins it to a path and the model may see it: one plain word, once per attempt. */
  run->cog_id = run->attempt <= 1
                    ? g_strdup (run->prediction)
                    : g_strdup_printf ("%s-%" G_GINT64_FORMAT, run->prediction, run->attempt);
  run->call_id = g_strdup (run->cog_id);
  run->may_rerun = vend_json_bool (command, "retry_safe", true);
  json_t *input = json_object_get (command, "input");
  run->input = json_is_object (input) ? json_deep_copy (input) : json_object ();
  run->timeout_us = vend_json_int (command, "timeout_us", 0);
  run->chunks = json_array ();
  run->metrics = json_object ();
  run->logs = g_string_new (NULL);
  run->files.folder = g_build_filename (env->dir, "outputs", NULL);
  run->files.max_file = env->spec->max_output_file;
  run->files.prefix = run->key;
  run->files.find_upload = find_upload;
  run->files.context = run;
  if (run->timeout_us > 0)
    run->timeout_source = add_timer (run->timeout_us, on_timeout, run);

  const VendInputsOptions options = { .outside = env->outside,
                                      .loopback = env->loopback,
                                      .dir = env->dir,
                                      .cog_id = run->cog_id,
                                      .max_file = env->spec->max_input_file,
                                      .timeout_us = env->spec->input_timeout_us,
                                      .stall_us = env->spec->input_stall_us,
                                      .min_speed = env->spec->input_min_speed,
                                      .ready = on_inputs_ready,
                                      .data = run };
  run->inputs = vend_inputs_start (&options, run->input, json_object_get (command, "files"));
  if (run->inputs == NULL)
    vend_run_call (run);
  return run;
}

void
vend_run_free (VendRun *run)
{
  if (run == NULL)
    return;
  vend_run_call_stop (run);
  vend_run_let_go (run);
  curl_slist_free_all (run->holder_headers);
  if (run->cancel_call != NULL)
    vend_cog_call_cancel (run->cancel_call);
  clear_timer (&run->timeout_source);
  clear_timer (&run->grace_source);
  clear_timer (&run->retry_source);
  clear_timer (&run->cancel_source);
  clear_timer (&run->linger_source);
  clear_timer (&run->flush_source);
  vend_inputs_free (run->inputs);
  json_decref (run->input);
  json_decref (run->chunks);
  json_decref (run->metrics);
  g_string_free (run->logs, TRUE);
  g_free ((char *) run->files.folder);
  g_free (run->prediction);
  g_free (run->key);
  g_free (run->cog_id);
  g_free (run->call_id);
  g_free (run);
}

const char *
vend_run_key (const VendRun *run)
{
  return run->key;
}

const char *
vend_run_cog_id (const VendRun *run)
{
  return run->cog_id;
}

json_t *
vend_run_snapshot (const VendRun *run, gsize *budget)
{
  json_t *entry = json_object ();
  json_object_set_new (entry, "prediction", json_string (run->prediction));
  vend_json_set_int (entry, "attempt", run->attempt);
  if (run->started_us > 0)
    vend_json_set_int (entry, "started_us", run->started_us);
  vend_json_set_int (entry, "chunks", (int64_t) json_array_size (run->chunks));
  if (json_array_size (run->chunks) > 0 && run->chunk_bytes <= *budget)
    {
      *budget -= run->chunk_bytes;
      json_object_set (entry, "output", run->chunks);
    }
  const gsize logs_size = MIN (run->logs_flushed, *budget);
  *budget -= logs_size;
  json_object_set_new (entry, "logs", vend_json_string_new (run->logs->str, logs_size));
  json_object_set_new (entry, "metrics", json_object ());
  if (run->metrics_size <= *budget)
    {
      *budget -= run->metrics_size;
      json_object_set (entry, "metrics", run->metrics);
    }
  return entry;
}

json_t *
vend_run_never_begun (const json_t *command, const char *status, const char *why)
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
