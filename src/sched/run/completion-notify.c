/* Notifications of an end that is on disk. Core thread. */
#include "sched/account/ledger.h"
#include "sched/instance/instance.h"
#include "sched/observe/measure.h"
#include "sched/run/outputs.h"
#include "sched/run/run.h"
#include "sched/run/webhook.h"

/* The director's copy of the result is not needed any more. */
static void
release_director (const Completion *completion)
{
  VendSched *sched = completion->run->sched;
  const VendPrediction *p = completion->p;
  if (p->instance != NULL)
    vend_instance_acknowledge (sched, p->instance, p->id, p->attempt);
  vend_outputs_forget (sched, completion->reported);
}

static void
charge (const Completion *completion)
{
  const VendRunUsage *usage = &completion->usage;
  if (completion->was_accepted && completion->is_metered && usage->billed)
    vend_ledger_charge (completion->run->sched->ledger, completion->p->account_id,
                        completion->p->completed_us, usage->price, usage->run_us);
}

void
vend_completion_notify (const Completion *completion)
{
  Run *run = completion->run;
  release_director (completion);
  charge (completion);
  run->sched->n_ended++;
  vend_measure_ended (run);
  vend_run_webhook_ended (run);
  vend_run_broadcast_end (run);
  if (completion->was_accepted && completion->destination != 0)
    vend_sched_model_changed (run->sched, completion->destination, NULL, NULL);
  vend_waiters_notify (run->waiters, run->p);
}
