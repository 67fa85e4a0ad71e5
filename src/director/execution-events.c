/* What the model server says about a run, turned into frames. Main context. */
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "director/execution-private.h"
#include "model/failure.h"
#include <string.h>

#define LOG_FLUSH_MS 20
#define LOG_FLUSH_SIZE ((gsize) 32 * 1024)

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

static void
keep_logs (VendExecution *execution, const char *text, gsize size)
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

static void
take_logs (VendExecution *execution, const char *text, gsize size, bool is_last)
{
  if (vend_redactor_is_empty (execution->env->redactor))
    {
      keep_logs (execution, text, size);
      return;
    }
  g_autoptr (GString) shown = g_string_sized_new (size);
  vend_redact_piece (execution->env->redactor, execution->logs_held, text, size, is_last, shown);
  keep_logs (execution, shown->str, shown->len);
}

void
vend_execution_add_logs (VendExecution *execution, const char *text, gsize size)
{
  take_logs (execution, text, size, false);
}

void
vend_execution_end_logs (VendExecution *execution)
{
  take_logs (execution, "", 0, true);
}

void
vend_execution_replace_logs (VendExecution *execution, const char *text, gsize size)
{
  vend_execution_flush_logs (execution);
  g_string_truncate (execution->logs, 0);
  g_string_truncate (execution->logs_held, 0);
  execution->logs_flushed = 0;
  execution->logs_full = false;
  execution->logs_replaced = true;
  vend_execution_add_logs (execution, text, size);
  execution->logs_flushed = execution->logs->len;
}

void
vend_execution_forget_logs (VendExecution *execution)
{
  execution->logs_full = execution->logs_replaced = false;
  g_string_truncate (execution->logs_held, 0);
  g_string_truncate (execution->logs, 0);
  execution->logs_flushed = 0;
}

/* ---- Single events. */

void
vend_execution_mark_started (VendExecution *execution)
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

bool
vend_execution_convert (VendExecution *execution, json_t *output, json_t **out)
{
  g_autoptr (GError) error = NULL;
  if (vend_output_convert (&execution->files, output, out, &error))
    return true;
  end_storage (execution, error);
  return false;
}

void
vend_execution_add_converted (VendExecution *execution, json_t *chunk, gsize size)
{
  json_auto_t *owned = chunk;
  execution->chunk_bytes += size;
  if (execution->chunk_bytes > execution->env->spec->max_output)
    {
      vend_execution_end_too_large (execution);
      return;
    }
  vend_execution_flush_logs (execution);
  json_t *frame = vend_execution_event (execution, "output");
  vend_json_set_int (frame, "index", (int64_t) json_array_size (execution->chunks));
  json_object_set (frame, "chunk", owned);
  json_array_append (execution->chunks, owned);
  execution->env->emit (frame, execution->env->context);
}

void
vend_execution_add_chunk (VendExecution *execution, json_t *chunk, gsize size)
{
  json_t *converted = NULL;
  if (execution->chunk_bytes + size > execution->env->spec->max_output)
    vend_execution_end_too_large (execution);
  else if (vend_execution_convert (execution, chunk, &converted))
    vend_execution_add_converted (execution, converted, size);
}

void
vend_execution_add_metric (VendExecution *execution, const char *name, json_t *value,
                           const char *mode)
{
  if (execution->phase == VEND_EXECUTION_ENDED
      || !vend_metrics_merge (&execution->metrics, name, value, mode))
    return;
  json_t *frame = vend_execution_event (execution, "metric");
  vend_json_set_string (frame, "name", name);
  json_object_set (frame, "value", value);
  vend_json_set_string (frame, "mode", mode);
  execution->env->emit_later (frame, execution->env->context);
}

/* ---- The end of the model's part. */

static json_t *
what_was_yielded (const VendExecution *execution)
{
  return json_array_size (execution->chunks) > 0 ? json_incref (execution->chunks) : NULL;
}

void
vend_execution_finish (VendExecution *execution, VendExecutionEnd end)
{
  json_auto_t *output = end.output;
  end.output = NULL;
  if (strcmp (end.status, "succeeded") == 0)
    {
      end.output = output != NULL ? json_incref (output) : json_null ();
      if (json_is_null (end.output) && execution->env->must_return)
        {
          end.status = "failed";
          end.error = "the model returned nothing (None), which its output type does not allow";
        }
    }
  else if (execution->timed_out)
    end = (VendExecutionEnd){ .status = "failed",
                              .metrics = end.metrics,
                              .error = "the prediction took longer than its timeout",
                              .code = VEND_FAILURE_PREDICT_TIMEOUT };
  else if (strcmp (end.status, "canceled") == 0 || execution->cancel_asked)
    end = (VendExecutionEnd){ .status = "canceled",
                              .metrics = end.metrics,
                              .output = what_was_yielded (execution) };
  else
    {
      end.status = "failed";
      end.output = what_was_yielded (execution);
    }
  vend_execution_end (execution, end);
}
