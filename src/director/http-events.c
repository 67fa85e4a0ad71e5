/* What coglet's HTTP server says about a run: its event stream, or webhooks. Main context. */
#include "director/http-call.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "director/json-cut.h"
#include "director/model-error.h"
#include "director/sandbox-hint.h"
#include "model/failure.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define MANY_LOG_EVENTS 64 /* of the 1,024 that a reader may be behind */
#define HOOK_READ_SIZE ((gsize) 64 * 1024)

static const char *const terminal_statuses[] = { "succeeded", "failed", "canceled", NULL };

/* ---- The last snapshot. */

static json_t *
bounded_metrics (const VendExecution *execution, json_t *snapshot)
{
  json_t *metrics = json_object_get (snapshot, "metrics");
  if (!json_is_object (metrics))
    return NULL;
  if (vend_json_size (metrics) <= VEND_METRICS_MAX_SIZE)
    return metrics;
  vend_log (VEND_LOG_WARN, "metrics dropped: too large", "prediction", execution->prediction, NULL);
  json_t *predict_time = json_incref (json_object_get (metrics, "predict_time"));
  json_object_clear (metrics);
  if (predict_time != NULL)
    json_object_set_new (metrics, "predict_time", predict_time);
  return metrics;
}

static bool
final_output (VendHttpCall *call, json_t *snapshot, json_t **out)
{
  VendExecution *execution = call->execution;
  json_t *output = json_object_get (snapshot, "output");
  if (output == NULL || json_is_null (output))
    return true;
  /* The chunks are converted already; doing it again would make every file twice. */
  if (execution->env->iterates && !call->lagged
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
  return vend_execution_convert (execution, output, out);
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

static void
end_failed (VendExecution *execution, const char *error, json_t *metrics)
{
  VendExecutionEnd end = { .status = "failed", .metrics = metrics, .error = error };
  g_autofree char *large = NULL;
  g_autofree char *problem = vend_model_error_of_output (error);
  if (g_str_has_prefix (error, "Failed to upload output"))
    {
      end.code = VEND_FAILURE_OUTPUT_UPLOAD_FAILED;
      if (strstr (error, "status 413") != NULL)
        {
          end.code = VEND_FAILURE_OUTPUT_TOO_LARGE;
          end.error = large
              = g_strdup_printf ("an output file is larger than %" G_GUINT64_FORMAT " bytes",
                                 execution->env->spec->max_output_file);
        }
    }
  if (problem != NULL)
    {
      /* One that came as far as the socket has broken it. */
      end.sick = is_of_the_server (error) ? "an output broke the model server's socket" : NULL;
      end.error = problem;
    }
  else if (is_of_the_server (error))
    {
      end.code = VEND_FAILURE_INSTANCE_LOST;
      end.error = end.sick = "the model's process crashed";
    }
  else if (end.code == NULL && (large = vend_sandbox_explain (execution->env->spec, error)) != NULL)
    end.error = large;
  vend_execution_finish (execution, end);
}

static void
take_end (VendHttpCall *call, json_t *snapshot)
{
  const char *status = vend_json_string (snapshot, "status");
  const char *error = vend_json_string (snapshot, "error");
  json_t *metrics = bounded_metrics (call->execution, snapshot);
  json_t *output = NULL;

  if (strcmp (status, "failed") == 0)
    end_failed (
        call->execution,
        vend_model_error_plain (error != NULL ? error : "the model failed without a message"),
        metrics);
  else if (strcmp (status, "succeeded") != 0 || final_output (call, snapshot, &output))
    vend_execution_finish (
        call->execution,
        (VendExecutionEnd){ .status = status, .output = output, .metrics = metrics });
}

/* ---- Where events come from: the event stream, or webhooks. */

/* The server cancels a run by itself when its reader goes away. When that was a connection that
 * died before it had answered, libcurl has asked again on another one, which reads on. */
static bool
was_given_up (const VendHttpCall *call, const char *status)
{
  const VendExecution *execution = call->execution;
  return call->is_stream && !execution->cancel_asked && !execution->timed_out
         && strcmp (status, "canceled") == 0;
}

static void
take_snapshot (VendHttpCall *call, json_t *snapshot, bool with_logs)
{
  VendExecution *execution = call->execution;
  const char *status = vend_json_string (snapshot, "status");
  const json_t *logs = json_object_get (snapshot, "logs");
  const bool is_end = status != NULL && g_strv_contains (terminal_statuses, status);
  if (execution->phase == VEND_EXECUTION_ENDED || status == NULL)
    return;
  if (strcmp (status, "starting") != 0)
    vend_execution_mark_started (execution);
  /* Webhooks may overtake each other, so an older one is shorter. */
  if (with_logs && json_string_length (logs) > call->logs_seen)
    {
      const gsize seen = call->logs_seen;
      call->logs_seen = json_string_length (logs);
      vend_execution_add_logs (execution, json_string_value (logs) + seen, call->logs_seen - seen);
    }

  json_t *output = json_object_get (snapshot, "output");
  for (size_t i = json_array_size (execution->chunks);
       with_logs && execution->env->iterates && i < json_array_size (output)
       && execution->phase != VEND_EXECUTION_ENDED;
       i++)
    {
      json_t *chunk = json_array_get (output, i);
      vend_execution_add_chunk (execution, chunk, vend_json_size (chunk));
    }
  if (execution->phase == VEND_EXECUTION_ENDED || !is_end)
    return;
  call->cut_off = call->lagged && !execution->cancel_asked && !execution->timed_out
                  && strcmp (status, "canceled") == 0;
  if (call->cut_off)
    return; /* the call sees to it when the stream has ended */
  if (was_given_up (call, status))
    {
      vend_execution_end_lost (execution, "the model server canceled it though nobody had asked");
      return;
    }
  /* Servers before coglet may leave pieces out of the webhooks before. */
  if ((call->lagged || with_logs) && json_is_string (logs))
    vend_execution_replace_logs (execution, json_string_value (logs), json_string_length (logs));
  take_end (call, snapshot);
}

static void
take_event (VendHttpCall *call, const char *event, json_t *data, gsize size)
{
  VendExecution *execution = call->execution;
  if (strcmp (event, "start") == 0)
    vend_execution_mark_started (execution);
  else if (strcmp (event, "output") == 0 && execution->env->iterates)
    {
      /* After a gap the order is lost; all of it comes with the last snapshot. */
      if (!call->lagged)
        vend_execution_add_chunk (execution, json_object_get (data, "chunk"), size);
    }
  else if (strcmp (event, "log") == 0)
    {
      const json_t *text = json_object_get (data, "data");
      if (json_is_string (text))
        vend_execution_add_logs (execution, json_string_value (text), json_string_length (text));
    }
  else if (strcmp (event, "metric") == 0)
    vend_execution_add_metric (execution, vend_json_string (data, "name"),
                               json_object_get (data, "value"), vend_json_string (data, "mode"));
  else if (strcmp (event, "completed") == 0)
    take_snapshot (call, data, false);
  else if (strcmp (event, "error") == 0)
    call->lagged = true;
}

bool
vend_http_call_on_event (const char *event, const char *data, gsize size, void *user_data)
{
  VendHttpCall *call = user_data;
  VendExecution *execution = call->execution;
  if (strcmp (event, "log") == 0 && ++call->log_events == MANY_LOG_EVENTS)
    vend_http_call_hold (call);
  if (execution->phase == VEND_EXECUTION_ENDED
      || (execution->logs_full && strcmp (event, "log") == 0))
    return true;
  g_autoptr (GError) error = NULL;
  json_auto_t *value = NULL;
  if (vend_output_parse (data, size, &value, &error))
    take_event (call, event, value, size);
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
vend_http_take_result (VendHttpCall *call)
{
  VendExecution *execution = call->execution;
  g_autoptr (GError) error = NULL;
  json_auto_t *snapshot = NULL;
  if (call->reply->len >= call->reply_max)
    {
      vend_execution_end_too_large (execution);
      return;
    }
  if (vend_output_parse (call->reply->str, call->reply->len, &snapshot, &error))
    take_snapshot (call, snapshot, true);
  if (execution->phase != VEND_EXECUTION_ENDED)
    vend_execution_end_lost (execution, error != NULL
                                            ? error->message
                                            : "the model server's reply does not end the run");
}

void
vend_http_take_hook (VendExecution *execution, const char *path)
{
  if (execution->call == NULL)
    return;
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  json_auto_t *snapshot = NULL;
  if (read_hook (execution, path, text, &error)
      && vend_output_parse (text->str, text->len, &snapshot, &error))
    take_snapshot (execution->call, snapshot, true);
  else if (g_error_matches (error, VEND_ERROR, VEND_ERROR_TOO_LARGE))
    vend_execution_end_too_large (execution);
  else if (g_error_matches (error, VEND_ERROR, VEND_ERROR_RUNNER))
    vend_execution_end_early (execution, error->message, NULL); /* it may have been the last one */
  else
    vend_log (VEND_LOG_ERROR, "webhook of the model server not understood", "error", error->message,
              NULL);
}
