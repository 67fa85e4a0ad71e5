/* A prediction that has not ended, or whose end is not on disk yet: from its create to the end of
 * its completion. Core thread. */
#pragma once
#include "model/prediction.h"
#include "policy/queue.h"
#include "sched/core.h"
#include "sched/run/completion.h"
#include "sched/run/waiters.h"

typedef struct Run Run;
typedef struct Submission Submission;

struct Run
{
  VendSched *sched;
  VendPrediction *p;
  Target *target;
  Instance *instance; /* of the attempt under way, or NULL */
  uint64_t given;     /* number of the gift to its instance: those that come back keep its order */
  VendQueuePlace place;
  json_t *chunks;           /* what an iterator yielded so far, or NULL; files have their URLs */
  json_t *waiting_chunks;   /* came later, and are not shown before the files among them are kept */
  gsize n_taking;           /* chunks whose files are on the way to the file store */
  VendBroadcast *broadcast; /* NULL until somebody follows */
  GString *logs;
  bool is_viewed; /* `p` has the chunks and logs of this moment */
  VendWaiters *waiters;
  VendTimer *deadline;
  VendTimer *lease_due;
  VendTimer *insert_due;
  Submission *unstored; /* its row is not on the way to the disk yet */
  bool insert_pending;
  gsize held_input;       /* of the memory for inputs that wait; see inputs.c */
  bool fetches_input;     /* it is given out, and not sent before its input is read */
  VendTimer *input_due;   /* reads it again */
  Completion *completion; /* its end is on the way to the disk; NULL: it has not ended */
  bool emitted;           /* output has left the model in this attempt */
  bool is_lost;           /* this attempt is: what it took is nobody's */
  bool is_billed;         /* this attempt is, and not the time of its instance */
  RunWebhook *webhook;    /* what its webhook is told; NULL: it has none */
  guint lost_before_start;
  guint lost_running;
  int64_t earliest_us; /* no attempt begins before; wall clock */
  int64_t since_us;    /* when it was created, on the clock that does not step */
  int64_t due_us;      /* its deadline, on the same */
  guint lost_out_of_memory;
};

/* ---- run.c: its life */
Run *vend_run_new (VendSched *sched, VendPrediction *take, Target *target);
void vend_run_free (Run *run);
void vend_run_enqueue (Run *run, bool at_head);
/* Counts it out; whoever takes it from the queue calls this. */
void vend_run_left_queue (Run *run);
/* It runs on this instance, as the instance says or the disk says. */
void vend_run_attach (Run *run, Instance *instance);
/* The prediction as people may see it now; borrowed until the next change. */
const VendPrediction *vend_run_view (Run *run);
void vend_run_cancel (Run *run);
void vend_run_started (Run *run, int64_t at_us);

/* Ends it, through the stages of completion.h. */
void vend_run_complete (Run *run, const RunResult *result);
void vend_run_fail (Run *run, const char *error_code, const char *logs, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
/* Its prefetch is released: it comes back from its instance, not begun. */
void vend_run_released (Run *run);
/* Its instance has gone, or never took it: the retry matrix. `code` is INSTANCE_LOST or
 * OUT_OF_MEMORY, `why` is for people. */
void vend_run_lost (Run *run, const char *code, bool emitted, const char *why);

/* ---- lease.c: what the disk has of one that has not ended. What fails is tried again. */
/* After a failed write: the disk may have room again. */
#define VEND_STORE_RETRY_US (1 * VEND_US_PER_S)
/* Stores that it runs where it runs, or waits. */
void vend_run_store_lease (Run *run);
/* Soon: short ones end before. */
void vend_run_lease_soon (Run *run);
/* Now, when that was due soon. */
void vend_run_lease_now (Run *run);
/* Stores that this attempt is lost. `outcome` is VEND_ATTEMPT_LOST or VEND_ATTEMPT_OUT_OF_MEMORY.
 */
void vend_run_store_lost (Run *run, const char *outcome);

/* ---- deadlines.c */
void vend_run_arm_deadline (Run *run);
/* Ends one that waits and cannot begin before its deadline, by what was measured. */
void vend_run_admit (Run *run);

/* ---- chunks.c: what an iterator yields */
/* Chunk number `index`, with "$vend.file" objects. One that does not follow the last one is left
 * out: the end has them all. */
void vend_run_take_chunk (Run *run, int64_t index, json_t *chunk);
/* All that the model yielded so far, as its director says. */
void vend_run_take_chunks (Run *run, const json_t *output);
/* The attempt is over and does not count. */
void vend_run_forget_chunks (Run *run);

/* ---- broadcast.c: those who follow its events */
void vend_run_broadcast_chunk (Run *run, json_t *chunk);
/* The end is on disk. */
void vend_run_broadcast_end (Run *run);
/* Sends those who follow away. */
void vend_run_break_broadcast (Run *run);
/* The same for all that will not run before the next start. */
void vend_sched_drain_broadcasts (VendSched *sched);
