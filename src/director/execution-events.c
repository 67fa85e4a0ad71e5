/* What the model server says about a run, turned into frames. Main context. */
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "director/json-cut.h"
#include "director/execution-private.h"
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
vend_execution_flush_logs (VendExecution *execution)
{
  if (execution->flush_source != 0)
    g_source_remove (execution->flush_source);
  execution->flush_source = 0;
  if (execution->logs_flushed == execution->logs->len || execution->logs_replaced
      || execution->phase == VEND_EXECUTION_ENDED)
    return;
  json_t *frame = vend_execution_event (execution, "log");
  json_object_set_new (frame, "data",
                       vend_json_string_new (execution->logs->str + execution->logs_flushed,
                                             execution->logs->len - execution->logs_flushed));
  execution->logs_flushed = execution->logs->len;
  execution->env->emit (frame, execution->env->context);
}

static gboolean
on_flush (void *user_data)
{
  VendExecution *execution = user_data;
  execution->flush_source = 0;
  vend_execution_flush_logs (execution);
  return G_SOURCE_REMOVE;
}

void
vend_execution_add_logs (VendExecution *execution, const char *text, gsize size)
{
  if (execution->logs_full || size == 0)
    return;
  const uint64_t limit = execution->env->spec->max_logs;
  if (execution->logs->len + size <= limit)
    g_string_append_len (execution->logs, text, (gssize) size);
  else
    {
      gsize fits = (gsize) (limit - execution->logs->len);
      while (fits > 0 && ((guchar) text[fits] & 0xc0) == 0x80)
        fits--;
      g_string_append_len (execution->logs, text, (gssize) fits);
      if (execution->logs->len > 0 && execution->logs->str[execution->logs->len - 1] != '\n')
        g_string_append_c (execution->logs, '\n');
      g_string_append_printf (execution->logs, "[log truncated at %" G_GUINT64_FORMAT " bytes]\n",
                              limit);
      execution->logs_full = true;
    }
  if (execution->logs->len - execution->logs_flushed >= LOG_FLUSH_SIZE)
    vend_execution_flush_logs (execution);
  else if (execution->flush_source == 0)
    execution->flush_source = g_timeout_add (LOG_FLUSH_MS, on_flush, execution);
}

/* After a gap: what was sent stays sent, the whole text comes with the end. */
static void
replace_logs (VendExecution *execution, const char *text, gsize size)
{
  vend_execution_flush_logs (execution);
  g_string_truncate (execution->logs, 0);
  execution->logs_flushed = 0;
  execution->logs_full = false;
  execution->logs_replaced = true;
  vend_execution_add_logs (execution, text, size);
  execution->logs_flushed = execution->logs->len;
}

/* ---- Single events. */

static void
mark_started (VendExecution *execution)
{
  if (execution->phase == VEND_EXECUTION_ENDED)
    return;
  execution->phase = VEND_EXECUTION_RUNNING;
  if (execution->started_us > 0)
    return;
  execution->started_us = vend_now_us ();
  execution->began_us = vend_steady_us ();
  execution->peak_before = execution->env->server_peak (execution->env->context);
  json_t *frame = vend_execution_event (execution, "start");
  vend_json_set_int (frame, "at_us", execution->started_us);
  execution->env->emit_later (frame, execution->env->context);
}

static void
end_storage (VendExecution *execution, const GError *error)
{
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_TOO_LARGE))
    {
      vend_execution_end_early (execution, error->message, VEND_FAILURE_OUTPUT_TOO_LARGE);
      return;
    }
  vend_log (VEND_LOG_ERROR, "output not kept", "prediction", execution->prediction, "error",
            error->message, NULL);
  vend_execution_end_early (execution, "an output file could not be stored",
                            VEND_FAILURE_OUTPUT_UPLOAD_FAILED);
}

static void
add_chunk (VendExecution *execution, json_t *chunk, gsize size)
{
  g_autoptr (GError) error = NULL;
  json_t *converted = NULL;
  if (execution->lagged)
    return; /* the order is lost; all of it comes with the last snapshot */
  execution->chunk_bytes += size;
  if (execution->chunk_bytes > execution->env->spec->max_output)
    {
      vend_execution_end_too_large (execution);
      return;
    }
  if (!vend_output_convert (&execution->files, chunk, &converted, &error))
    {
      end_storage (execution, error);
      return;
    }
  vend_execution_flush_logs (execution);
  json_t *frame = vend_execution_event (execution, "output");
  vend_json_set_int (frame, "index", (int64_t) json_array_size (execution->chunks));
  json_object_set (frame, "chunk", converted);
  json_array_append_new (execution->chunks, converted);
  execution->env->emit (frame, execution->env->context);
}

static gsize
metric_size (const char *name, const json_t *value)
{
  return value != NULL ? strlen (name) + vend_json_size (value) : 0;
}

/* False when there is no room for it: then nobody is told. */
static bool
keep_metric (VendExecution *execution, const char *name, json_t *value)
{
  const json_t *old = json_object_get (execution->metrics, name);
  const gsize size = execution->metrics_size - metric_size (name, old) + metric_size (name, value);
  if (size > MAX_METRICS_SIZE
      || (old == NULL && json_object_size (execution->metrics) >= MAX_METRICS))
    return false;
  execution->metrics_size = size;
  json_object_set (execution->metrics, name, value);
  return true;
}

static void
add_metric (VendExecution *execution, json_t *event)
{
  const char *name = vend_json_string (event, "name");
  json_t *value = json_object_get (event, "value");
  if (name == NULL || value == NULL || !keep_metric (execution, name, value))
    return;
  json_t *frame = vend_execution_event (execution, "metric");
  json_object_set (frame, "name", json_object_get (event, "name"));
  json_object_set (frame, "value", value);
  json_object_set (frame, "mode", json_object_get (event, "mode"));
  execution->env->emit_later (frame, execution->env->context);
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
bounded_metrics (const VendExecution *execution, json_t *snapshot)
{
  json_t *metrics = json_object_get (snapshot, "metrics");
  if (!json_is_object (metrics))
    return NULL;
  if (vend_json_size (metrics) <= MAX_METRICS_SIZE)
    return metrics;
  vend_log (VEND_LOG_WARN, "metrics dropped: too large", "prediction", execution->prediction, NULL);
  json_t *predict_time = json_incref (json_object_get (metrics, "predict_time"));
  json_object_clear (metrics);
  if (predict_time != NULL)
    json_object_set_new (metrics, "predict_time", predict_time);
  return metrics;
}

static bool
final_output (VendExecution *execution, json_t *snapshot, json_t **out)
{
  json_t *output = json_object_get (snapshot, "output");
  if (output == NULL || json_is_null (output))
    return true;
  /* The chunks are converted already; doing it again would make every file twice. */
  if (execution->env->iterates && !execution->lagged
      && json_array_size (output) == json_array_size (execution->chunks))
    {
      *out = json_incref (execution->chunks);
      return true;
    }
  if (vend_json_size (output) > execution->env->spec->max_output)
    {
      vend_execution_end_too_large (execution);
      return false;
    }
  g_autoptr (GError) error = NULL;
  if (vend_output_convert (&execution->files, output, out, &error))
    return true;
  end_storage (execution, error);
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
end_failed (VendExecution *execution, const char *error, json_t *metrics)
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
                                 execution->env->spec->max_output_file);
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
  vend_execution_end (execution,
                      (VendExecutionEnd){ .status = "failed",
                                          .output = json_array_size (execution->chunks) > 0
                                                        ? json_incref (execution->chunks)
                                                        : NULL,
                                          .metrics = metrics,
                                          .error = error,
                                          .code = code,
                                          .sick = sick });
}

static void
take_end (VendExecution *execution, json_t *snapshot)
{
  const char *status = vend_json_string (snapshot, "status");
  const char *error = vend_json_string (snapshot, "error");
  json_t *metrics = bounded_metrics (execution, snapshot);

  if (g_strcmp0 (status, "succeeded") == 0)
    {
      json_t *output = NULL;
      if (final_output (execution, snapshot, &output))
        vend_execution_end (execution,
                            (VendExecutionEnd){ .status = status,
                                                .output = output != NULL ? output : json_null (),
                                                .metrics = metrics });
    }
  else if (execution->timed_out)
    vend_execution_end (execution,
                        (VendExecutionEnd){ .status = "failed",
                                            .metrics = metrics,
                                            .error = "the prediction took longer than its timeout",
                                            .code = VEND_FAILURE_PREDICT_TIMEOUT });
  else if (g_strcmp0 (status, "canceled") == 0 || execution->cancel_asked)
    vend_execution_end (execution,
                        (VendExecutionEnd){ .status = "canceled",
                                            .output = json_array_size (execution->chunks) > 0
                                                          ? json_incref (execution->chunks)
                                                          : NULL,
                                            .metrics = metrics });
  else
    end_failed (execution,
                plain_error (error != NULL ? error : "the model failed without a message"),
                metrics);
}

/* ---- Where events come from: the event stream, or webhooks. */

/* The server cancels a run by itself when its reader goes away. When that was a connection that
 * died before it had answered, libcurl has asked again on another one, which reads on. */
static bool
was_given_up (const VendExecution *execution, const char *status)
{
  return execution->is_stream && !execution->cancel_asked && !execution->timed_out
         && strcmp (status, "canceled") == 0;
}

void
vend_execution_take_snapshot (VendExecution *execution, json_t *snapshot, bool with_logs)
{
  const char *status = vend_json_string (snapshot, "status");
  const json_t *logs = json_object_get (snapshot, "logs");
  const bool is_end = status != NULL && g_strv_contains (terminal_statuses, status);
  if (execution->phase == VEND_EXECUTION_ENDED || status == NULL)
    return;
  if (strcmp (status, "starting") != 0)
    mark_started (execution);
  /* Webhooks may overtake each other, so an older one is shorter. */
  if (with_logs && json_string_length (logs) > execution->logs_seen)
    {
      const gsize seen = execution->logs_seen;
      execution->logs_seen = json_string_length (logs);
      vend_execution_add_logs (execution, json_string_value (logs) + seen,
                               execution->logs_seen - seen);
    }

  json_t *output = json_object_get (snapshot, "output");
  for (size_t i = json_array_size (execution->chunks);
       with_logs && execution->env->iterates && i < json_array_size (output)
       && execution->phase != VEND_EXECUTION_ENDED;
       i++)
    {
      json_t *chunk = json_array_get (output, i);
      add_chunk (execution, chunk, vend_json_size (chunk));
    }
  if (execution->phase == VEND_EXECUTION_ENDED || !is_end)
    return;
  execution->cut_off = execution->lagged && !execution->cancel_asked && !execution->timed_out
                       && strcmp (status, "canceled") == 0;
  if (execution->cut_off)
    return; /* the call sees to it when the stream has ended */
  if (was_given_up (execution, status))
    {
      vend_execution_end_lost (execution, "the model server canceled it though nobody had asked");
      return;
    }
  if (execution->lagged && json_is_string (logs))
    replace_logs (execution, json_string_value (logs), json_string_length (logs));
  take_end (execution, snapshot);
}

static void
take_event (VendExecution *execution, const char *event, json_t *data, gsize size)
{
  if (strcmp (event, "start") == 0)
    mark_started (execution);
  else if (strcmp (event, "output") == 0 && execution->env->iterates)
    add_chunk (execution, json_object_get (data, "chunk"), size);
  else if (strcmp (event, "log") == 0)
    {
      const json_t *text = json_object_get (data, "data");
      if (json_is_string (text))
        vend_execution_add_logs (execution, json_string_value (text), json_string_length (text));
    }
  else if (strcmp (event, "metric") == 0)
    add_metric (execution, data);
  else if (strcmp (event, "completed") == 0)
    vend_execution_take_snapshot (execution, data, false);
  else if (strcmp (event, "error") == 0)
    execution->lagged = true;
}

bool
vend_execution_on_event (const char *event, const char *data, gsize size, void *user_data)
{
  VendExecution *execution = user_data;
  if (strcmp (event, "log") == 0 && ++execution->log_events == MANY_LOG_EVENTS)
    vend_execution_hold (execution);
  if (execution->phase == VEND_EXECUTION_ENDED
      || (execution->logs_full && strcmp (event, "log") == 0))
    return true;
  g_autoptr (GError) error = NULL;
  json_auto_t *value = NULL;
  if (vend_output_parse (data, size, &value, &error))
    take_event (execution, event, value, size);
  else
    vend_execution_end_early (execution, error->message, NULL);
  return true;
}

static bool
read_hook (VendExecution *execution, const char *path, GString *text, GError **error)
{
  const VendSpec *spec = execution->env->spec;
  const gsize limit = (gsize) (spec->max_output + 6 * spec->max_logs) + VEND_EXECUTION_SLACK;
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
vend_execution_take_hook (VendExecution *execution, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  json_auto_t *snapshot = NULL;
  if (read_hook (execution, path, text, &error)
      && vend_output_parse (text->str, text->len, &snapshot, &error))
    vend_execution_take_snapshot (execution, snapshot, true);
  else if (g_error_matches (error, VEND_ERROR, VEND_ERROR_TOO_LARGE))
    vend_execution_end_too_large (execution);
  else if (g_error_matches (error, VEND_ERROR, VEND_ERROR_RUNNER))
    vend_execution_end_early (execution, error->message, NULL); /* it may have been the last one */
  else
    vend_log (VEND_LOG_ERROR, "webhook of the model server not understood", "error", error->message,
              NULL);
}
