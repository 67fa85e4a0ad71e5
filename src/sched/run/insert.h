/* The row of a new prediction on its way to the disk. Core thread. */
#pragma once
#include "sched/run/run.h"

/* A create, until its row is stored. */
struct Submission
{
  VendSched *sched;
  VendPrediction *prediction;
  VendVersion *version;
  char *hardware;
  VendScaling scaling; /* of its deployment's release */
  int64_t wait_until_us;
  VendSchedNotify notify;
  void *data;
  Run *run;
  VendStoreDone inserted; /* with the submission, which goes over */
};

void vend_submission_free (Submission *submission);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Submission, vend_submission_free)

/* Sends the row on the way to the disk, if it is not; goes before every other write about the run.
 */
void vend_run_store_insert (Run *run);
