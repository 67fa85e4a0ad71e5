/* The transaction of an end. Writer thread. */
#include "model/attempt.h"
#include "sched/run/outputs.h"
#include "sched/run/webhook.h"
#include "store/files.h"
#include "store/predictions.h"

static bool
store_outputs (VendDb *db, const Outputs *outputs, GError **error)
{
  for (guint i = 0; outputs != NULL && i < outputs->rows->len; i++)
    if (!vend_store_output_insert (db, g_ptr_array_index (outputs->rows, i), error))
      return false;
  return true;
}

/* A lost attempt is stored as lost, though the prediction ends with it. */
static bool
store_attempt (VendDb *db, const Completion *completion, GError **error)
{
  const VendPrediction *p = completion->p;
  if (completion->is_lost)
    return vend_store_attempt_insert (db, p, p->completed_us, VEND_ATTEMPT_LOST, error);
  return (!completion->is_metered || vend_store_usage_insert (db, p, &completion->usage, error))
         && (p->started_us == 0 || vend_store_model_ran (db, p->model_id, error));
}

bool
vend_completion_store (VendDb *db, void *data, GError **error)
{
  Completion *completion = data;
  if (!vend_store_prediction_complete (db, completion->p, &completion->was_accepted, error))
    return false;
  return !completion->was_accepted
         || (vend_run_webhook_store_end (db, completion->webhook, completion->p, error)
             && store_outputs (db, completion->outputs, error)
             && store_attempt (db, completion, error));
}
