/* The row of a new prediction on its way to the disk. Core thread. */
#pragma once
#include "sched/run/run.h"

/* A create whose row is not stored yet. */
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
  VendStoreDone inserted; /* called with the submission, which goes over */
};

void vend_submission_free (Submission *submission);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Submission, vend_submission_free)

/* Sends the row to the disk, unless sent already. Goes before every other write about the run. */
void vend_run_store_insert (Run *run);
