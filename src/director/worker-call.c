/* One run on a slot of coglet's worker. Main context; a run may write a large input to disk. */
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "director/input-fit.h"
#include "director/model-error.h"
#include "director/sandbox-hint.h"
#include "director/worker-server.h"
#include "model/failure.h"
#include <errno.h>
#include <string.h>

#define INLINE_INPUT_MAX \
  ((gsize) 6 << 20)           /* coglet's MAX_INLINE_IPC_SIZE; what is longer is a file */
#define WAIT_US VEND_US_PER_S /* for a slot that should be free */
#define WAIT_POLL_MS 50
#define CANCEL_AGAIN_US (100 * VEND_US_PER_MS)
#define SHORTEST_PROGRAM_US 500 /* from its start to its end */
#define FIRST_RUNS 64           /* of a worker, after which it is known whether it prints */

/* ---- The beginning. */

static gboolean
on_wait (void *user_data)
{
  VendWorkerServer *server = user_data;
  const int64_t now_us = g_get_monotonic_time ();
  server->wait_timer = 0;
  for (GList *item = server->waiting.head; item != NULL;)
    {
      VendWorkerCall *call = item->data;
      item = item->next;
      if (now_us < MAX (call->waits_until_us, call->execution->env->patient_until_us))
        continue;
      g_queue_remove (&server->waiting, call);
      vend_execution_end_lost (call->execution,
                               "the model server has no free slot though none is in use");
    }
  if (server->waiting.length > 0)
    server->wait_timer = g_timeout_add (WAIT_POLL_MS, on_wait, server);
  return G_SOURCE_REMOVE;
}

static VendWorkerSlot *
find_free_slot (const VendWorkerServer *server)
{
  for (guint i = 0; i < server->n_slots; i++)
    if (!server->slots[i].is_busy && server->slots[i].channel != NULL)
      return &server->slots[i];
  return NULL;
}

/* The input itself, or where it lies. */
static bool
add_input (const VendWorkerSlot *slot, json_t *message, json_t *input, GError **error)
{
  if (vend_json_size (input) <= INLINE_INPUT_MAX)
    {
      json_object_set (message, "input", input);
      return true;
    }
  g_autofree char *path = g_build_filename (slot->folder.path, "input.json", NULL);
  g_autofree char *text = vend_json_text (input);
  vend_json_set_string (message, "input_file", path);
  if (!vend_file_replace (path, text, strlen (text), 0600, error))
    return false;
  const uid_t model = slot->server->base.options.spec->model_user;
  return model == 0 || lchown (path, model, model) == 0
         || vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "give '%s' to the model", path);
}

static bool
ask (VendWorkerCall *call, VendWorkerSlot *slot, GError **error)
{
  const VendExecution *execution = call->execution;
  if (!vend_run_folder_open (&slot->folder, error))
    return false;
  json_auto_t *message = json_pack ("{s:s, s:s, s:s, s:{}}", "type", "predict", "id",
                                    execution->cog_id, "output_dir", slot->folder.path, "context");
  if (!add_input (slot, message, execution->input, error))
    return false;
  call->asked_us = vend_steady_us ();
  if (!vend_slot_channel_send (slot->channel, json_incref (message), error))
    {
      call->asked_us = 0;
      return false;
    }
  slot->is_busy = true;
  slot->call = call;
  call->slot = slot;
  return true;
}

static void
begin (VendWorkerCall *call, VendWorkerSlot *slot)
{
  g_autoptr (GError) error = NULL;
  if (ask (call, slot, &error))
    vend_execution_mark_started (call->execution);
  else
    vend_execution_end_lost (call->execution, error->message);
}

void
vend_worker_call_dispatch (VendWorkerServer *server)
{
  VendWorkerSlot *slot;
  while (server->waiting.length > 0 && (slot = find_free_slot (server)) != NULL)
    begin (g_queue_pop_head (&server->waiting), slot);
}

void
vend_worker_execute (VendModelServer *base, VendExecution *execution)
{
  VendWorkerServer *server = (VendWorkerServer *) base;
  g_autoptr (GError) error = NULL;
  if (!vend_input_fit (server->openapi, base->options.spec->train, execution->input, &error))
    {
      vend_execution_end (execution,
                          (VendExecutionEnd){ .status = "failed", .error = error->message });
      return;
    }
  VendWorkerCall *call = g_new0 (VendWorkerCall, 1);
  call->server = server;
  call->execution = execution;
  call->outputs = json_array ();
  call->waits_until_us = g_get_monotonic_time () + WAIT_US;
  execution->call = call;
  g_queue_push_tail (&server->waiting, call);
  vend_worker_call_dispatch (server);
  if (server->waiting.length > 0 && server->wait_timer == 0)
    server->wait_timer = g_timeout_add (WAIT_POLL_MS, on_wait, server);
}

bool
vend_worker_is_asked (const VendExecution *execution)
{
  const VendWorkerCall *call = execution->call;
  return call != NULL && call->asked_us > 0;
}

static void
send_cancel (const VendWorkerCall *call)
{
  call->execution->cancel_sent_us = vend_steady_us ();
  call->slot->was_canceled = true;
  vend_worker_tell (call->server,
                    json_pack ("{s:s, s:s}", "type", "cancel", "slot", call->slot->id));
}

void
vend_worker_cancel (VendExecution *execution)
{
  const VendWorkerCall *call = execution->call;
  if (call == NULL || call->slot == NULL || call->end.kind != VEND_SLOT_UNKNOWN)
    return;
  send_cancel (call);
  vend_execution_cancel_sent (execution, true);
}

/* coglet raises an exception in the thread of the run, and one that is raised between two pieces of
 * an iterator, in code of coglet's own, is lost. A model that goes on to yield cleans nothing up.
 */
static void
cancel_again (const VendWorkerCall *call)
{
  const VendExecution *execution = call->execution;
  if (execution->cancel_sent_us > 0 && call->slot != NULL && call->end.kind == VEND_SLOT_UNKNOWN
      && vend_steady_us () - execution->cancel_sent_us > CANCEL_AGAIN_US)
    send_cancel (call);
}

/* ---- The end. */

bool
vend_worker_ended (VendExecution *execution)
{
  VendWorkerCall *call = execution->call;
  if (call == NULL)
    return false;
  g_queue_remove (&call->server->waiting, call);
  if (call->server->printing == call)
    call->server->printing = NULL;
  vend_worker_call_forget_files (call);
  /* What the model says from here on is nobody's. */
  if (call->slot != NULL)
    {
      call->slot->call = NULL;
      call->slot->is_stale = call->end.kind == VEND_SLOT_UNKNOWN;
      if (call->slot->channel != NULL)
        vend_slot_channel_hold (call->slot->channel, false);
      if (call->is_idle)
        vend_worker_slot_take_idle (call->slot);
    }
  call->slot = NULL;
  return false;
}

void
vend_worker_release (VendExecution *execution)
{
  VendWorkerCall *call = execution->call;
  if (call == NULL)
    return;
  (void) vend_worker_ended (execution);
  execution->call = NULL;
  json_decref (call->outputs);
  g_clear_pointer (&call->taken, g_hash_table_unref);
  g_free (call->end.error);
  g_free (call);
}

/* One value or several, as coglet's server decides it (crates/coglet/src/orchestrator.rs,
 * wrap_outputs). */
static json_t *
whole_output (const VendWorkerCall *call)
{
  const VendExecution *execution = call->execution;
  if (execution->env->iterates)
    return json_incref (execution->chunks);
  const size_t n = json_array_size (call->outputs);
  if (call->server->output_is_array || call->end.is_stream || n > 1)
    return json_incref (call->outputs);
  return n == 1 ? json_incref (json_array_get (call->outputs, 0)) : json_null ();
}

static void
tell_failed (VendWorkerCall *call)
{
  const char *error = vend_model_error_plain (call->end.error);
  g_autofree char *problem = vend_model_error_of_output (error);
  if (problem == NULL)
    problem = vend_sandbox_explain (call->execution->env->spec, error);
  vend_execution_finish (
      call->execution,
      (VendExecutionEnd){ .status = "failed", .error = problem != NULL ? problem : error });
}

static void
tell_end (VendWorkerCall *call)
{
  VendExecution *execution = call->execution;
  const bool is_done = call->end.kind == VEND_SLOT_DONE;
  const double seconds
      = is_done ? call->end.predict_time
                : (double) (vend_steady_us () - execution->began_us) / (double) VEND_US_PER_S;
  json_object_set_new (execution->metrics.values, "predict_time", json_real (seconds));
  if (is_done)
    vend_execution_finish (
        execution, (VendExecutionEnd){ .status = "succeeded", .output = whole_output (call) });
  else if (call->end.kind == VEND_SLOT_FAILED)
    tell_failed (call);
  else if (execution->cancel_asked || execution->timed_out)
    vend_execution_finish (execution, (VendExecutionEnd){ .status = "canceled" });
  else
    vend_execution_finish (
        execution,
        (VendExecutionEnd){ .status = "failed",
                            .error = "the model ended with CancelationException though nobody had "
                                     "canceled it" });
}

static bool
is_told (const VendWorkerCall *call)
{
  return call->end.kind != VEND_SLOT_UNKNOWN && call->is_idle && call->taking == NULL;
}

void
vend_worker_call_check_end (VendWorkerCall *call)
{
  if (is_told (call) && vend_worker_printed_is_met (call->server, &call->mark))
    tell_end (call);
}

bool
vend_worker_is_told (const VendExecution *execution)
{
  return execution->call != NULL && is_told (execution->call);
}

void
vend_worker_settle (VendExecution *execution)
{
  tell_end (execution->call);
}

static int64_t
run_us (const VendWorkerCall *call)
{
  if (call->end.kind == VEND_SLOT_DONE)
    return (int64_t) (call->end.predict_time * (double) VEND_US_PER_S);
  return vend_steady_us () - call->asked_us;
}

/* What is printed past Python comes on the control channel, and may come after the end on the slot,
 * or after `idle`. A run that is too short to start a program is not worth a mark as long as this
 * worker has printed nothing that way in its first runs. */
static bool
may_have_printed (const VendWorkerCall *call)
{
  const VendWorkerServer *server = call->server;
  return server->has_printed || server->n_ended <= FIRST_RUNS
         || run_us (call) >= SHORTEST_PROGRAM_US || vend_worker_printed_has_more (server);
}

void
vend_worker_call_take_idle (VendWorkerCall *call)
{
  if (!call->is_idle)
    {
      call->server->n_ended++;
      if (may_have_printed (call))
        call->mark = vend_worker_printed_mark (call->server);
    }
  call->is_idle = true;
  vend_worker_call_check_end (call);
}

/* ---- What the worker says. */

void
vend_worker_call_add (VendWorkerCall *call, json_t *output, gsize size)
{
  VendExecution *execution = call->execution;
  if (execution->env->iterates)
    {
      vend_execution_add_converted (execution, output, size);
      return;
    }
  call->outputs_size += size;
  json_array_append_new (call->outputs, output);
  if (call->outputs_size > execution->env->spec->max_output)
    vend_execution_end_too_large (execution);
}

static void
take_output (VendWorkerCall *call, json_t *output)
{
  const gsize size = vend_json_size (output);
  json_t *converted = NULL;
  if (size > call->execution->env->spec->max_output)
    vend_execution_end_too_large (call->execution);
  else if (vend_execution_convert (call->execution, output, &converted))
    vend_worker_call_add (call, converted, size);
}

static void
take_end (VendWorkerCall *call, VendSlotKind kind, const json_t *message)
{
  const char *id = vend_json_string (message, "id");
  if (g_strcmp0 (id, call->execution->cog_id) != 0)
    {
      vend_worker_problem (call->server, "the worker ended a run that it was not asked for");
      return;
    }
  if (call->end.kind != VEND_SLOT_UNKNOWN)
    {
      vend_worker_problem (call->server, "the worker ended a run twice");
      return;
    }
  call->end = (VendWorkerEnd){ .kind = kind,
                               .is_stream = vend_json_bool (message, "is_stream", false),
                               .predict_time = vend_json_double (message, "predict_time", 0),
                               .error = g_strdup (vend_json_string (message, "error")) };
  vend_worker_call_check_end (call);
}

static void
take_message (VendWorkerCall *call, VendSlotKind kind, json_t *message)
{
  const json_t *text = json_object_get (message, "data");
  switch (kind)
    {
    case VEND_SLOT_LOG:
      vend_execution_add_logs (call->execution, json_string_value (text),
                               json_string_length (text));
      break;
    case VEND_SLOT_OUTPUT:
      cancel_again (call);
      take_output (call, json_object_get (message, "output"));
      break;
    case VEND_SLOT_FILE:
      cancel_again (call);
      vend_worker_call_take_file (call, message);
      break;
    case VEND_SLOT_METRIC:
      vend_execution_add_metric (call->execution, vend_json_string (message, "name"),
                                 json_object_get (message, "value"),
                                 vend_json_string (message, "mode"));
      break;
    case VEND_SLOT_DONE:
    case VEND_SLOT_FAILED:
    case VEND_SLOT_CANCELLED:
      take_end (call, kind, message);
      break;
    default:
      break;
    }
}

void
vend_worker_call_take (VendWorkerCall *call, const char *text, gsize size)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *message = NULL;
  if (call->execution->logs_full && vend_slot_text_is_log (text, size))
    return;
  if (!vend_output_parse (text, size, &message, &error))
    {
      /* The run is over; its slot is not, and says when it is free. */
      vend_execution_end_early (call->execution, error->message, NULL);
      return;
    }
  const VendSlotKind kind = vend_slot_message_kind (message);
  if (vend_slot_message_check (message, kind, &error))
    take_message (call, kind, message);
  else
    vend_worker_problem (call->server, error->message);
}
