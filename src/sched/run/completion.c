/* The end of a run: from one stage to the next. Core thread. */
#include "sched/run/completion.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "sched/run/insert.h"
#include "sched/run/outputs.h"
#include "sched/run/run.h"
#include "sched/run/webhook.h"

Completion *
vend_completion_new (Run *run, VendPrediction *p)
{
  Completion *completion = g_new0 (Completion, 1);
  completion->run = run;
  completion->p = p;
  return completion;
}

void
vend_completion_free (Completion *completion)
{
  if (completion == NULL)
    return;
  vend_timer_clear (&completion->retry);
  json_decref (completion->reported);
  vend_prediction_free (completion->ended);
  vend_outputs_free (completion->outputs);
  g_free (completion->error);
  g_free (completion->error_code);
  g_free (completion);
}

static void collect (Completion *completion);

/* The result is safe with the director, or will be made again. */
static void
retry_later (Completion *completion, VendTimerCall stage, const GError *error)
{
  vend_log (VEND_LOG_ERROR, "cannot store a result, trying again", "prediction", completion->p->id,
            "error", error->message, NULL);
  completion->retry = vend_timer_set (completion->run->sched->timers,
                                      vend_steady_us () + VEND_STORE_RETRY_US, stage, completion);
}

/* ---- Store */

static void store_again (void *data);

static void
stored (const GError *error, void *data)
{
  Completion *completion = data;
  Run *run = completion->run;
  if (error != NULL)
    {
      retry_later (completion, store_again, error);
      return;
    }
  if (completion->ended != NULL)
    vend_completion_take_ended (completion);
  vend_completion_notify (completion);
  g_hash_table_remove (run->sched->runs, run->p->id);
}

static void
store (Completion *completion)
{
  vend_run_webhook_writing_end (completion->run);
  vend_store_write (completion->run->sched->store, vend_completion_store, stored, completion);
}

static void
store_again (void *data)
{
  Completion *completion = data;
  completion->retry = NULL;
  store (completion);
}

/* ---- Collect */

static void
collect_again (void *data)
{
  Completion *completion = data;
  completion->retry = NULL;
  collect (completion);
}

static void
collected (json_t *output, Outputs *outputs, const GError *error, void *data)
{
  Completion *completion = data;
  VendPrediction *p = completion->p;
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_NO_SPACE)
      || g_error_matches (error, VEND_ERROR, VEND_ERROR_BUSY))
    {
      retry_later (completion, collect_again, error);
      return;
    }
  json_decref (p->output);
  p->output = output;
  completion->outputs = outputs;
  if (error != NULL)
    {
      vend_log (VEND_LOG_ERROR, "cannot keep the output files", "prediction", p->id, "error",
                error->message, NULL);
      vend_completion_lack_outputs (completion);
    }
  vend_completion_find_weights (completion);
  /* With weights, the transaction decides. */
  if (completion->weights == NULL)
    vend_completion_settle (completion);
  store (completion);
}

static void
collect (Completion *completion)
{
  vend_outputs_take (completion->run->sched, completion->p->id, completion->reported, collected,
                     completion);
}

void
vend_completion_begin (Completion *completion)
{
  /* Insert and end are written one after the other, so that one commit takes both. */
  vend_run_store_insert (completion->run);
  if (completion->reported != NULL)
    {
      collect (completion);
      return;
    }
  vend_completion_find_weights (completion);
  vend_completion_settle (completion);
  store (completion);
}
