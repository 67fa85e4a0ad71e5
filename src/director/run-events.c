/* What the model server says about a run, turned into frames. Main context. */
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "director/json-cut.h"
#include "director/run-private.h"
#include "model/failure.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define MANY_LOG_EVENTS 64 /* of the 1,024 that a reader may be behind */
#define LOG_FLUSH_MS 20
#define LOG_FLUSH_SIZE ((gsize) 32 * 1024)
#define MAX_METRICS 1000 /* names kept for a snapshot */
#define MAX_METRICS_SIZE ((gsize) 256 * 1024)
#define HOOK_READ_SIZE ((gsize) 64 * 1024)

static const char *const terminal_statuses[] = { "succeeded", "failed", "canceled", NULL };

/* The server's wrappers around the text of the model. */
static const char *const error_prefixes[] = { "Prediction failed: ", "Training failed: " };

/* ---- Logs. */

void
vend_run_flush_logs (VendRun *run)
{
  if (run->flush_source != 0)
    g_source_remove (run->flush_source);
  run->flush_source = 0;
  if (run->logs_flushed == run->logs->len || run->logs_replaced || run->phase == VEND_RUN_ENDED)
    return;
  json_t *frame = vend_run_event (run, "log");
  json_object_set_new (frame, "data",
                       vend_json_string_new (run->logs->str + run->logs_flushed,
                                             run->logs->len - run->logs_flushed));
  run->logs_flushed = run->logs->len;
  run->env->emit (frame, run->env->context);
}

static gboolean
on_flush (void *user_data)
{
  VendRun *run = user_data;
  run->flush_source = 0;
  vend_run_flush_logs (run);
  return G_SOURCE_REMOVE;
}

void
vend_run_add_logs (VendRun *run, const char *text, gsize size)
{
  if (run->logs_full || size == 0)
    return;
  const uint64_t limit = run->env->spec->max_logs;
  if (run->logs->len + size <= limit)
    g_string_append_len (run->logs, text, (gssize) size);
  else
    {
      gsize fits = (gsize) (limit - run->logs->len);
      while (fits > 0 && ((guchar) text[fits] & 0xc0) == 0x80)
        fits--;
      g_string_append_len (run->logs, text, (gssize) fits);
      if (run->logs->len > 0 && run->logs->str[run->logs->len - 1] != '\n')
        g_string_append_c (run->logs, '\n');
      g_string_append_printf (run->logs, "[log truncated at %" G_GUINT64_FORMAT " bytes]\n", limit);
      run->logs_full = true;
    }
  if (run->logs->len - run->logs_flushed >= LOG_FLUSH_SIZE)
    vend_run_flush_logs (run);
  else if (run->flush_source == 0)
    run->flush_source = g_timeout_add (LOG_FLUSH_MS, on_flush, run);
}

/* After a gap: what was sent stays sent, the whole text comes with the end. */
static void
replace_logs (VendRun *run, const char *text, gsize size)
{
  vend_run_flush_logs (run);
  g_string_truncate (run->logs, 0);
  run->logs_flushed = 0;
  run->logs_full = false;
  run->logs_replaced = true;
  vend_run_add_logs (run, text, size);
  run->logs_flushed = run->logs->len;
}

/* ---- Single events. */

static void
mark_started (VendRun *run)
{
  if (run->phase == VEND_RUN_ENDED)
    return;
  run->phase = VEND_RUN_RUNNING;
  if (run->started_us > 0)
    return;
  run->started_us = vend_now_us ();
  run->began_us = vend_steady_us ();
  run->peak_before = run->env->server_peak (run->env->context);
  json_t *frame = vend_run_event (run, "start");
  vend_json_set_int (frame, "at_us", run->started_us);
  run->env->emit_later (frame, run->env->context);
}

static void
end_storage (VendRun *run, const GError *error)
{
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_TOO_LARGE))
    {
      vend_run_end_early (run, error->message, VEND_FAILURE_OUTPUT_TOO_LARGE);
      return;
    }
  vend_log (VEND_LOG_ERROR, "output not kept", "prediction", run->prediction, "error",
            error->message, NULL);
  vend_run_end_early (run, "an output file could not be stored", VEND_FAILURE_OUTPUT_UPLOAD_FAILED);
}

static void
add_chunk (VendRun *run, json_t *chunk, gsize size)
{
  g_autoptr (GError) error = NULL;
  json_t *converted = NULL;
  if (run->lagged)
    return; /* the order is lost; all of it comes with the last snapshot */
  run->chunk_bytes += size;
  if (run->chunk_bytes > run->env->spec->max_output)
    {
      vend_run_end_too_large (run);
      return;
    }
  if (!vend_output_convert (&run->files, chunk, &converted, &error))
    {
      end_storage (run, error);
      return;
    }
  vend_run_flush_logs (run);
  json_t *frame = vend_run_event (run, "output");
  vend_json_set_int (frame, "index", (int64_t) json_array_size (run->chunks));
  json_object_set (frame, "chunk", converted);
  json_array_append_new (run->chunks, converted);
  run->env->emit (frame, run->env->context);
}

static gsize
metric_size (const char *name, const json_t *value)
{
  return value != NULL ? strlen (name) + vend_json_size (value) : 0;
}

/* False when there is no room for it: then nobody is told. */
static bool
keep_metric (VendRun *run, const char *name, json_t *value)
{
  const json_t *old = json_object_get (run->metrics, name);
  const gsize size = run->metrics_size - metric_size (name, old) + metric_size (name, value);
  if (size > MAX_METRICS_SIZE || (old == NULL && json_object_size (run->metrics) >= MAX_METRICS))
    return false;
  run->metrics_size = size;
  json_object_set (run->metrics, name, value);
  return true;
}

static void
add_metric (VendRun *run, json_t *event)
{
  const char *name = vend_json_string (event, "name");
  json_t *value = json_object_get (event, "value");
  if (name == NULL || value == NULL || !keep_metric (run, name, value))
    return;
  json_t *frame = vend_run_event (run, "metric");
  json_object_set (frame, "name", json_object_get (event, "name"));
  json_object_set (frame, "value", value);
  json_object_set (frame, "mode", json_object_get (event, "mode"));
  run->env->emit_later (frame, run->env->context);
}

/* ---- The last snapshot. */

static const char *
plain_error (const char *error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (error_prefixes);)
    if (g_str_has_prefix (error, error_prefixes[i]))
      {
        error += strlen (error_prefixes[i]);
        i = 0;
      }
    else
      i++;
  return error;
}

static json_t *
bounded_metrics (const VendRun *run, json_t *snapshot)
{
  json_t *metrics = json_object_get (snapshot, "metrics");
  if (!json_is_object (metrics))
    return NULL;
  if (vend_json_size (metrics) <= MAX_METRICS_SIZE)
    return metrics;
  vend_log (VEND_LOG_WARN, "metrics dropped: too large", "prediction", run->prediction, NULL);
  json_t *predict_time = json_incref (json_object_get (metrics, "predict_time"));
  json_object_clear (metrics);
  if (predict_time != NULL)
    json_object_set_new (metrics, "predict_time", predict_time);
  return metrics;
}

static bool
final_output (VendRun *run, json_t *snapshot, json_t **out)
{
  json_t *output = json_object_get (snapshot, "output");
  if (output == NULL || json_is_null (output))
    return true;
  /* The chunks are converted already; doing it again would make every file twice. */
  if (run->env->iterates && !run->lagged
      && json_array_size (output) == json_array_size (run->chunks))
    {
      *out = json_incref (run->chunks);
      return true;
    }
  if (vend_json_size (output) > run->env->spec->max_output)
    {
      vend_run_end_too_large (run);
      return false;
    }
  g_autoptr (GError) error = NULL;
  if (vend_output_convert (&run->files, output, out, &error))
    return true;
  end_storage (run, error);
  return false;
}

/* What coglet says when the worker is gone. Errors of the model begin with the name of their type.
 */
static bool
is_of_the_server (const char *error)
{
  static const char *const starts[] = { "Worker crashed", "Failed to send request", "Slot socket",
                                        "slot channel closed", "Slot dropped unexpectedly" };
  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    if (g_str_has_prefix (error, starts[i]))
      return true;
  return false;
}

/* What cannot be written as JSON ends in the server with the words of its parser. The text says
 * where in the output's JSON that was. NULL for other errors; free with g_free. */
static char *
output_problem (const char *error)
{
  static const struct
  {
    const char *part, *meaning;
  } problems[] = {
    { "recursion limit exceeded", "nested deeper than the 127 levels that the model server takes" },
    { "RecursionError", "nested deeper than the 127 levels that the model server takes" },
    { "expected value", "NaN or Infinity, which JSON does not have" },
    { "hex escape", "half of a character (a lone surrogate), which JSON cannot carry" },
    { "surrogate", "half of a character (a lone surrogate), which JSON cannot carry" },
  };
  static const char *const starts[] = { "Failed to parse output JSON", "Failed to serialize output",
                                        "Slot socket error: recursion limit" };
  bool is_of_output = false;
  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    is_of_output = is_of_output || g_str_has_prefix (error, starts[i]);
  for (gsize i = 0; is_of_output && i < G_N_ELEMENTS (problems); i++)
    {
      const char *at = strstr (error, problems[i].part);
      const char *place = at != NULL ? strstr (at, " at line ") : NULL;
      if (at != NULL)
        return g_strdup_printf ("the output cannot be written as JSON: %s%s%s%s",
                                problems[i].meaning, place != NULL ? " (" : "",
                                place != NULL ? place + 1 : "", place != NULL ? ")" : "");
    }
  return NULL;
}

static void
end_failed (VendRun *run, const char *error, json_t *metrics)
{
  const char *code = NULL;
  const char *sick = NULL;
  g_autofree char *large = NULL;
  g_autofree char *problem = output_problem (error);
  if (g_str_has_prefix (error, "Failed to upload output"))
    {
      code = VEND_FAILURE_OUTPUT_UPLOAD_FAILED;
      if (strstr (error, "status 413") != NULL)
        {
          code = VEND_FAILURE_OUTPUT_TOO_LARGE;
          error = large
              = g_strdup_printf ("an output file is larger than %" G_GUINT64_FORMAT " bytes",
                                 run->env->spec->max_output_file);
        }
    }
  if (problem != NULL)
    {
      /* One that came as far as the socket has broken it. */
      sick = is_of_the_server (error) ? "an output broke the model server's socket" : NULL;
      error = problem;
    }
  else if (is_of_the_server (error))
    {
      code = VEND_FAILURE_INSTANCE_LOST;
      sick = "the model's process crashed";
      error = sick;
    }
  vend_run_end (
      run,
      (VendRunEnd){ .status = "failed",
                    .output = json_array_size (run->chunks) > 0 ? json_incref (run->chunks) : NULL,
                    .metrics = metrics,
                    .error = error,
                    .code = code,
                    .sick = sick });
}

static void
take_end (VendRun *run, json_t *snapshot)
{
  const char *status = vend_json_string (snapshot, "status");
  const char *error = vend_json_string (snapshot, "error");
  json_t *metrics = bounded_metrics (run, snapshot);

  if (g_strcmp0 (status, "succeeded") == 0)
    {
      json_t *output = NULL;
      if (final_output (run, snapshot, &output))
        vend_run_end (run, (VendRunEnd){ .status = status,
                                         .output = output != NULL ? output : json_null (),
                                         .metrics = metrics });
    }
  else if (run->timed_out)
    vend_run_end (run, (VendRunEnd){ .status = "failed",
                                     .metrics = metrics,
                                     .error = "the prediction took longer than its timeout",
                                     .code = VEND_FAILURE_PREDICT_TIMEOUT });
  else if (g_strcmp0 (status, "canceled") == 0 || run->cancel_asked)
    vend_run_end (run, (VendRunEnd){ .status = "canceled",
                                     .output = json_array_size (run->chunks) > 0
                                                   ? json_incref (run->chunks)
                                                   : NULL,
                                     .metrics = metrics });
  else
    end_failed (run, plain_error (error != NULL ? error : "the model failed without a message"),
                metrics);
}

/* ---- Where events come from: the event stream, or webhooks. */

/* The server cancels a run by itself when its reader goes away. When that was a connection that
 * died before it had answered, libcurl has asked again on another one, which reads on. */
static bool
was_given_up (const VendRun *run, const char *status)
{
  return run->is_stream && !run->cancel_asked && !run->timed_out
         && strcmp (status, "canceled") == 0;
}

void
vend_run_take_snapshot (VendRun *run, json_t *snapshot, bool with_logs)
{
  const char *status = vend_json_string (snapshot, "status");
  const json_t *logs = json_object_get (snapshot, "logs");
  const bool is_end = status != NULL && g_strv_contains (terminal_statuses, status);
  if (run->phase == VEND_RUN_ENDED || status == NULL)
    return;
  if (strcmp (status, "starting") != 0)
    mark_started (run);
  /* Webhooks may overtake each other, so an older one is shorter. */
  if (with_logs && json_string_length (logs) > run->logs_seen)
    {
      const gsize seen = run->logs_seen;
      run->logs_seen = json_string_length (logs);
      vend_run_add_logs (run, json_string_value (logs) + seen, run->logs_seen - seen);
    }

  json_t *output = json_object_get (snapshot, "output");
  for (size_t i = json_array_size (run->chunks);
       with_logs && run->env->iterates && i < json_array_size (output)
       && run->phase != VEND_RUN_ENDED;
       i++)
    {
      json_t *chunk = json_array_get (output, i);
      add_chunk (run, chunk, vend_json_size (chunk));
    }
  if (run->phase == VEND_RUN_ENDED || !is_end)
    return;
  run->cut_off
      = run->lagged && !run->cancel_asked && !run->timed_out && strcmp (status, "canceled") == 0;
  if (run->cut_off)
    return; /* the call sees to it when the stream has ended */
  if (was_given_up (run, status))
    {
      vend_run_end_lost (run, "the model server canceled it though nobody had asked");
      return;
    }
  if (run->lagged && json_is_string (logs))
    replace_logs (run, json_string_value (logs), json_string_length (logs));
  take_end (run, snapshot);
}

static void
take_event (VendRun *run, const char *event, json_t *data, gsize size)
{
  if (strcmp (event, "start") == 0)
    mark_started (run);
  else if (strcmp (event, "output") == 0 && run->env->iterates)
    add_chunk (run, json_object_get (data, "chunk"), size);
  else if (strcmp (event, "log") == 0)
    {
      const json_t *text = json_object_get (data, "data");
      if (json_is_string (text))
        vend_run_add_logs (run, json_string_value (text), json_string_length (text));
    }
  else if (strcmp (event, "metric") == 0)
    add_metric (run, data);
  else if (strcmp (event, "completed") == 0)
    vend_run_take_snapshot (run, data, false);
  else if (strcmp (event, "error") == 0)
    run->lagged = true;
}

bool
vend_run_on_event (const char *event, const char *data, gsize size, void *user_data)
{
  VendRun *run = user_data;
  if (strcmp (event, "log") == 0 && ++run->log_events == MANY_LOG_EVENTS)
    vend_run_hold (run);
  if (run->phase == VEND_RUN_ENDED || (run->logs_full && strcmp (event, "log") == 0))
    return true;
  g_autoptr (GError) error = NULL;
  json_auto_t *value = NULL;
  if (vend_output_parse (data, size, &value, &error))
    take_event (run, event, value, size);
  else
    vend_run_end_early (run, error->message, NULL);
  return true;
}

static bool
read_hook (VendRun *run, const char *path, GString *text, GError **error)
{
  const VendSpec *spec = run->env->spec;
  const gsize limit = (gsize) (spec->max_output + 6 * spec->max_logs) + VEND_RUN_SLACK;
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  VendJsonCut cut;
  vend_json_cut_start (&cut, "logs", (gsize) (6 * spec->max_logs));
  g_autofree char *chunk = g_malloc (HOOK_READ_SIZE);
  for (ssize_t n; (n = read (fd, chunk, HOOK_READ_SIZE)) != 0;)
    {
      if (n < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read '%s'", path);
      vend_json_cut_feed (&cut, chunk, (gsize) n, text);
      if (text->len > limit)
        return vend_fail (error, VEND_ERROR_TOO_LARGE, "webhook of the model server is too large");
    }
  return true;
}

void
vend_run_take_hook (VendRun *run, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  json_auto_t *snapshot = NULL;
  if (read_hook (run, path, text, &error)
      && vend_output_parse (text->str, text->len, &snapshot, &error))
    vend_run_take_snapshot (run, snapshot, true);
  else if (g_error_matches (error, VEND_ERROR, VEND_ERROR_TOO_LARGE))
    vend_run_end_too_large (run);
  else if (g_error_matches (error, VEND_ERROR, VEND_ERROR_RUNNER))
    vend_run_end_early (run, error->message, NULL); /* it may have been the last one */
  else
    vend_log (VEND_LOG_ERROR, "webhook of the model server not understood", "error", error->message,
              NULL);
}
