/* The end of a run, in stages that hand one value on:
 *
 *   decide   status, error and times, from the report          completion-decide.c   pure
 *   account  metered time, and the account that pays for it    completion-decide.c   pure
 *   collect  output files into the file store                  outputs.c             disk pool
 *   store    row, files, usage, attempt and webhooks at once,  completion-store.c    writer thread
 *            and the version that a training has made          completion-version.c
 *   notify   director, ledger, metrics, followers, waiters     completion-notify.c   core thread
 *
 * completion.c runs the stages in order, and retries collect and store while the disk refuses.
 * Until notify has run nobody outside is told of the end. */
#pragma once
#include "model/file.h"
#include "model/prediction.h"
#include "model/usage.h"
#include "sched/timers.h"
#include "store/store.h"

typedef struct Run Run;
typedef struct RunWebhook RunWebhook;
typedef struct Outputs Outputs;

/* The end of a run, as reported by its director, its journal or the scheduler. All borrowed. */
typedef struct
{
  VendStatus status;
  json_t *output; /* with "$vend.file" objects; NULL: the output heard so far */
  const char *error;
  const char *error_code;
  const char *logs; /* NULL: the logs heard so far */
  const json_t *metrics;
  int64_t started_us; /* 0: it never began */
  int64_t completed_us;
} RunResult;

typedef struct
{
  Run *run;            /* borrowed; NULL in tests of single stages */
  VendPrediction *p;   /* borrowed: the row as it ends */
  int64_t earliest_us; /* earliest start of the attempt */
  bool is_lost;        /* the attempt: its usage is billed to nobody */
  RunWebhook *webhook; /* borrowed; NULL: no webhook */

  /* decide */
  VendStatus status;
  char *error;
  char *error_code;
  /* account */
  VendRunUsage usage;
  bool is_metered;
  /* collect */
  json_t *reported;          /* output with files of the director; NULL: no files */
  Outputs *outputs;          /* NULL: none were collected */
  const VendOutput *weights; /* in `outputs`: what a training has made a version of, or NULL */
  /* store */
  bool was_accepted;     /* false: the prediction had ended before */
  VendPrediction *ended; /* the row with `weights`, as stored: the destination may be gone */
  int64_t destination;   /* model with the new version; 0: none was made */
  VendTimer *retry;
} Completion;

Completion *vend_completion_new (Run *run, VendPrediction *p);
void vend_completion_free (Completion *completion);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Completion, vend_completion_free)

/* ---- Decide. Pure; sets times, logs and metrics of the row, not its status. */
void vend_completion_decide (Completion *completion, const RunResult *result, int64_t now_us);
/* The output files are not available: a success without them is a failure. */
void vend_completion_lack_outputs (Completion *completion);
/* The one place that sets the last status of a run; nothing can change it afterwards. */
void vend_completion_settle (Completion *completion);

/* Pure. The weights among the files of a training: a success without them is a failure. */
void vend_completion_find_weights (Completion *completion);
/* With weights, after the transaction, which has decided. */
void vend_completion_take_ended (Completion *completion);

/* ---- Account. Pure; after decide. */
typedef struct
{
  const char *hardware; /* borrowed as long as the completion */
  int64_t price;
  bool is_billed; /* by run, and not by the time of instances */
} RunTerms;
void vend_completion_account (Completion *completion, const RunTerms *terms);

/* ---- Version. Writer thread, in the transaction of the end: sets `ended`; a training with weights
 * fails when its destination is gone. `*out` is the new version, or NULL. completion-version.c */
bool vend_completion_make_version (VendDb *db, Completion *completion, VendVersion **out,
                                   GError **error);

/* ---- Store. Writer thread; a VendStoreJob. All or nothing. */
bool vend_completion_store (VendDb *db, void *completion, GError **error);

/* ---- Notify. Core thread; after the transaction is on disk. */
void vend_completion_notify (const Completion *completion);

/* Collects, stores and notifies; frees the run at the end. Core thread. */
void vend_completion_begin (Completion *completion);
