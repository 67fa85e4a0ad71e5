/* A tool call that runs a model: the prediction is made, its client is told how it goes, and the
 * answer is its end, or how to go on when that takes longer than clients wait. */
#include "base/clock.h"
#include "base/error.h"
#include "mcp/mcp-private.h"
#include "mcp/progress.h"
#include "store/predictions.h"
#include <string.h>

/* Between notes; also of those that say the same again, which keep clients waiting. */
#define NOTE_US VEND_US_PER_S
#define REPEAT_US (5 * VEND_US_PER_S)
/* A client that takes tasks gets one when the run has not ended by then. */
#define TASK_AFTER_US (VEND_US_PER_S / 2)
/* A server that stops tells everybody early. */
#define EARLY_US (VEND_US_PER_S / 5)

typedef struct
{
  McpRequest *request;
  VendBlobHolds *holds; /* of input files, until the row is on disk */
  char *id;
  VendPrediction *now; /* as last told */
  GError *error;
  bool takes_tasks;
  int64_t until_us; /* on the steady clock, like the next two */
  int64_t due_us;
  int64_t noted_us;
  double progress;
  char *note;
} Run;

static void
run_free (Run *run)
{
  mcp_request_unref (run->request);
  vend_blob_holds_free (run->holds);
  g_free (run->id);
  vend_prediction_free (run->now);
  g_clear_error (&run->error);
  g_free (run->note);
  g_free (run);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Run, run_free)

/* ---- Ends, on a thread that may block */

static void
finish_refused (void *data)
{
  g_autoptr (Run) run = data;
  mcp_fail_tool (run->request, run->error);
}

static void
finish (void *data)
{
  g_autoptr (Run) run = data;
  McpRequest *request = run->request;
  if (run->takes_tasks && !vend_status_is_terminal (run->now->status))
    {
      json_t *task = mcp_show_task (request, run->now);
      vend_json_set_string (task, "resultType", "task");
      mcp_answer (request, task);
    }
  else
    mcp_answer (request, mcp_show_prediction (request, run->now, true));
}

/* It ended between two questions. */
static void
finish_stored (void *data)
{
  Run *run = data;
  g_autoptr (VendPrediction) row = NULL;
  {
    g_auto (VendReader) reader = vend_reader (run->request->api->parts.store);
    if (!vend_store_prediction_get (reader.db, run->id, &row, &run->error))
      row = NULL;
  }
  if (row == NULL)
    {
      finish_refused (run);
      return;
    }
  vend_prediction_free (run->now);
  run->now = g_steal_pointer (&row);
  finish (run);
}

/* ---- On the way, on the core thread */

static void
end (Run *run, VendLaterWork work)
{
  vend_later_run (run->request->api->later, VEND_LANE_REPLIES, work, run);
}

static void
keep (Run *run, const VendPrediction *now)
{
  vend_prediction_free (run->now);
  run->now = vend_prediction_copy (now);
}

static void
send_note (Run *run, const VendPrediction *now)
{
  McpRequest *request = run->request;
  const int64_t now_us = vend_steady_us ();
  const double percent = vend_mcp_percent (now->logs);
  g_autofree char *note = vend_mcp_progress_text (now);
  if (g_strcmp0 (note, run->note) == 0 && percent <= run->progress
      && now_us - run->noted_us < REPEAT_US)
    return;
  run->progress = vend_mcp_progress_next (run->progress, percent);
  run->noted_us = now_us;
  json_t *params = json_pack ("{s:O, s:f, s:s}", "progressToken", request->progress_token,
                              "progress", run->progress, "message", note);
  if (percent >= 0)
    vend_json_set_int (params, "total", 100);
  mcp_notify (request, "notifications/progress", params);
  g_free (run->note);
  run->note = g_steal_pointer (&note);
}

static void wait_on (Run *run);

static void
told (const VendPrediction *now, const GError *error, void *data)
{
  Run *run = data;
  const int64_t now_us = vend_steady_us ();
  if (now == NULL)
    {
      /* NOT_FOUND: it has ended. Otherwise its end cannot be stored now: the row has no end. */
      end (run, finish_stored);
      return;
    }
  if (vend_status_is_terminal (now->status) || now_us >= run->until_us
      || now_us + EARLY_US < run->due_us || mcp_is_deserted (run->request))
    {
      keep (run, now);
      end (run, finish);
      return;
    }
  send_note (run, now);
  wait_on (run);
}

static void
wait_on (Run *run)
{
  run->due_us = run->until_us;
  if (run->request->progress_token != NULL)
    run->due_us = MIN (run->until_us, vend_steady_us () + NOTE_US);
  vend_sched_wait (run->request->api->parts.sched, run->id, run->due_us, told, run);
}

/* The row is on disk. */
static void
created (const VendPrediction *now, const GError *error, void *data)
{
  Run *run = data;
  McpRequest *request = run->request;
  if (error != NULL)
    {
      run->error = g_error_copy (error);
      end (run, finish_refused);
      return;
    }
  g_clear_pointer (&run->holds, vend_blob_holds_free);
  mcp_begin_prediction (request, run->id);
  mcp_start_stream (request);
  const int64_t wait_us = vend_settings_us (request->api->parts.settings, "mcp-wait");
  run->until_us = vend_steady_us () + (run->takes_tasks ? MIN (wait_us, TASK_AFTER_US) : wait_us);
  if (request->progress_token != NULL)
    send_note (run, now);
  wait_on (run);
}

bool
mcp_run (McpRequest *request, VendDb *db, const VendModel *model, const VendVersion *version,
         json_t *input, GError **error)
{
  json_auto_t *body = json_pack ("{s:O}", "input", input);
  const VendApiRun what = { .model = model, .version = version, .body = body };
  g_autoptr (VendPrediction) prediction = NULL;
  json_auto_t *problems = NULL;
  g_autoptr (Run) run = g_new0 (Run, 1);
  run->request = mcp_request_ref (request);
  run->takes_tasks = mcp_is_modern (request) && vend_mcp_takes_tasks (request->rpc.params);
  if (!vend_api_prepare (request->api, mcp_call_of (request), request->caller, db, &what,
                         &prediction, &run->holds, &problems, error))
    return false;
  if (problems != NULL)
    {
      g_autofree char *text = vend_api_problems_text (problems);
      mcp_refuse_arguments (request, text);
      return true;
    }
  run->id = g_strdup (prediction->id);
  const VendSchedPlace place = vend_api_place (&what);
  vend_sched_submit (request->api->parts.sched, g_steal_pointer (&prediction), version, &place, 0,
                     created, g_steal_pointer (&run));
  return true;
}
