/* The transaction of an end. Writer thread. */
#include "model/attempt.h"
#include "sched/run/outputs.h"
#include "sched/run/webhook.h"
#include "store/files.h"
#include "store/predictions.h"
#include "store/weights.h"

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
  if (p->started_us != 0)
    vend_db_count_run (db, p->model_id);
  return !completion->is_metered || vend_store_usage_insert (db, p, &completion->usage, error);
}

static bool
store_version (VendDb *db, Completion *completion, const VendVersion *version, GError **error)
{
  completion->destination = version != NULL ? version->model_id : 0;
  if (version == NULL)
    return true;
  g_autoptr (VendWeights) weights = vend_weights_of_launch (version->launch);
  return vend_store_version_put_trained (db, version, weights, error);
}

bool
vend_completion_store (VendDb *db, void *data, GError **error)
{
  Completion *completion = data;
  g_autoptr (VendVersion) version = NULL;
  if (completion->weights != NULL
      && !vend_completion_make_version (db, completion, &version, error))
    return false;
  const VendPrediction *row = completion->ended != NULL ? completion->ended : completion->p;
  if (!vend_store_prediction_complete (db, row, &completion->was_accepted, error))
    return false;
  return !completion->was_accepted
         || (vend_run_webhook_store_end (db, completion->webhook, row, error)
             && store_version (db, completion, version, error)
             && store_outputs (db, completion->outputs, error)
             && store_attempt (db, completion, error));
}
