/* The end of a run, and its cost. Pure. */
#include "model/failure.h"
#include "sched/run/completion.h"
#include "sched/run/outputs.h"

static bool
has_error (VendStatus status)
{
  return status == VEND_STATUS_FAILED || status == VEND_STATUS_ABORTED;
}

/* Start and end are by the instance's clock. Where it disagrees with this one, the run is moved and
 * keeps its length. */
static void
set_times (const Completion *completion, const RunResult *result, int64_t now_us)
{
  VendPrediction *p = completion->p;
  const int64_t least_us = MAX (p->started_us, completion->earliest_us);
  if (result->started_us == 0)
    {
      p->completed_us = MAX (result->completed_us > 0 ? result->completed_us : now_us, least_us);
      return;
    }
  const int64_t run_us = MAX (result->completed_us - result->started_us, 0);
  p->started_us = MAX (result->started_us, completion->earliest_us);
  p->completed_us = p->started_us + run_us;
}

void
vend_completion_decide (Completion *completion, const RunResult *result, int64_t now_us)
{
  VendPrediction *p = completion->p;
  completion->status = result->status;
  completion->error = g_strdup (result->error);
  completion->error_code = g_strdup (result->error_code);
  if (result->status == VEND_STATUS_FAILED && result->error == NULL)
    completion->error = g_strdup ("the model failed without a message");
  if (result->logs != NULL)
    {
      g_free (p->logs);
      p->logs = g_strdup (result->logs);
    }
  json_decref (p->metrics);
  p->metrics = result->metrics != NULL ? json_deep_copy (result->metrics) : NULL;
  set_times (completion, result, now_us);
}

/* A canceled or failed run keeps its status, without its files. */
void
vend_completion_lack_outputs (Completion *completion)
{
  if (completion->status != VEND_STATUS_SUCCEEDED)
    return;
  completion->status = VEND_STATUS_FAILED;
  completion->error = g_strdup ("the output files could not be stored");
  g_free (completion->error_code);
  completion->error_code = g_strdup (VEND_FAILURE_OUTPUT_STORE_FAILED);
}

void
vend_completion_settle (Completion *completion)
{
  g_autoptr (GError) error = NULL;
  VendPrediction *p = completion->p;
  if (!vend_prediction_set_status (p, completion->status, &error))
    g_assert_not_reached ();
  if (has_error (completion->status))
    p->error = g_steal_pointer (&completion->error);
  p->error_code = g_steal_pointer (&completion->error_code);
}

static const VendOutput *
find_file (const Outputs *outputs, const char *text)
{
  for (guint i = 0; text != NULL && outputs != NULL && i < outputs->rows->len; i++)
    {
      const VendOutput *row = g_ptr_array_index (outputs->rows, i);
      g_autofree char *start = g_strdup_printf ("vend-output:%s/", row->token);
      if (g_str_has_prefix (text, start))
        return row;
    }
  return NULL;
}

/* A text that only looks like a file is none. Clients take an output of a training as an object,
 * and its weights as a text. */
void
vend_completion_find_weights (Completion *completion)
{
  VendPrediction *p = completion->p;
  if (p->kind != VEND_KIND_TRAINING)
    return;
  const bool is_object = json_is_object (p->output);
  const json_t *file = is_object ? json_object_get (p->output, "weights") : p->output;
  if (completion->status == VEND_STATUS_SUCCEEDED)
    {
      completion->weights = find_file (completion->outputs, json_string_value (file));
      if (completion->weights != NULL)
        return;
      completion->status = VEND_STATUS_FAILED;
      completion->error = g_strdup ("train() returned no weights; expected a file, or an object "
                                    "whose 'weights' is a file");
    }
  if (!is_object || (file != NULL && !json_is_string (file)))
    json_decref (g_steal_pointer (&p->output));
}

void
vend_completion_take_ended (Completion *completion)
{
  const VendPrediction *ended = completion->ended;
  completion->status = ended->status;
  g_free (completion->error);
  completion->error = g_strdup (ended->error);
  json_decref (completion->p->output);
  completion->p->output = json_incref (ended->output);
  vend_completion_settle (completion);
}

void
vend_completion_account (Completion *completion, const RunTerms *terms)
{
  const VendPrediction *p = completion->p;
  const bool began = p->started_us > 0;
  completion->usage
      = (VendRunUsage){ .hardware = terms->hardware,
                        .run_us = began ? MAX (p->completed_us - p->started_us, 0) : 0,
                        .price = terms->price,
                        .billed = terms->is_billed };
  completion->is_metered = began && !completion->is_lost;
}
