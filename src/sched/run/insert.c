/* The row of a new prediction on its way to the disk. */
#include "sched/run/insert.h"
#include "store/predictions.h"

void
vend_submission_free (Submission *submission)
{
  vend_prediction_free (submission->prediction);
  vend_version_free (submission->version);
  g_free (submission->hardware);
  g_free (submission);
}
static bool
insert (VendDb *db, void *data, GError **error)
{
  const Run *run = ((Submission *) data)->run;
  return vend_store_prediction_create (db, run->p, run->sched->limits.account_max_stored, error);
}

void
vend_run_store_insert (Run *run)
{
  vend_timer_clear (&run->insert_due);
  if (run->unstored == NULL)
    return;
  const VendStoreDone inserted = run->unstored->inserted;
  vend_store_write (run->sched->store, insert, inserted, g_steal_pointer (&run->unstored));
}
