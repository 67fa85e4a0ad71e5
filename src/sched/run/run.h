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
  json_t *chunks;           /* chunks of an iterator so far, or NULL; files have their URLs */
  json_t *waiting_chunks;   /* later chunks, not shown before their files are stored */
  gsize n_taking;           /* chunks with files on the way to the file store */
  VendBroadcast *broadcast; /* NULL until the first follower */
  GPtrArray *own_logs;      /* of VendBroadcast, of followers in other forms; or NULL */
  GString *logs;
  bool is_viewed; /* `p` has the current chunks and logs */
  VendWaiters *waiters;
  VendTimer *deadline;
  VendTimer *lease_due;
  VendTimer *insert_due;
  Submission *unstored; /* the row is not on the way to the disk yet */
  bool insert_pending;
  gsize held_input;       /* share of the memory for queued inputs; see inputs.c */
  bool has_brought_files; /* of the input, to this machine */
  bool fetches_input;     /* has an instance, and is sent after its input is read */
  VendTimer *input_due;   /* retry of the read */
  Completion *completion; /* the end is on the way to the disk; NULL: not ended */
  bool emitted;           /* this attempt has produced output */
  bool is_lost;           /* this attempt is lost: its usage is billed to nobody */
  bool is_billed;         /* this attempt is billed by run, not by the time of its instance */
  RunWebhook *webhook;    /* webhook messages; NULL: no webhook */
  guint lost_before_start;
  guint lost_running;
  int64_t earliest_us; /* earliest start of an attempt; wall clock */
  int64_t since_us;    /* time of the create, on the steady clock */
  int64_t due_us;      /* deadline, on the steady clock */
  guint lost_out_of_memory;
};

/* ---- run.c: its life */
Run *vend_run_new (VendSched *sched, VendPrediction *take, Target *target);
void vend_run_free (Run *run);
void vend_run_enqueue (Run *run, bool at_head);
/* Counts the run out; to be called by every taker from the queue. */
void vend_run_left_queue (Run *run);
/* Records that the run is on this instance, as reported by the instance or the disk. */
void vend_run_attach (Run *run, Instance *instance);
/* The prediction as callers may see it now; borrowed until the next change. */
const VendPrediction *vend_run_view (Run *run);
void vend_run_cancel (Run *run);
void vend_run_started (Run *run, int64_t at_us);

/* Ends the run, through the stages of completion.h. */
void vend_run_complete (Run *run, const RunResult *result);
void vend_run_fail (Run *run, const char *error_code, const char *logs, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
/* The prefetch was released: the run comes back from its instance, not begun. */
void vend_run_released (Run *run);
/* The instance is gone, or never took the run: the retry matrix. `code` is INSTANCE_LOST or
 * OUT_OF_MEMORY, `why` is for people. */
void vend_run_lost (Run *run, const char *code, bool emitted, const char *why);

/* ---- lease.c: the lease on disk of a run that has not ended. Failed writes are retried. */
/* Backoff after a failed write: the disk may have room again. */
#define VEND_STORE_RETRY_US (1 * VEND_US_PER_S)
/* Stores the instance of the run, or that it is queued. */
void vend_run_store_lease (Run *run);
/* Stores the lease after a delay: short runs end before. */
void vend_run_lease_soon (Run *run);
/* Stores a delayed lease now. */
void vend_run_lease_now (Run *run);
/* Stores that this attempt is lost. `outcome` is VEND_ATTEMPT_LOST or VEND_ATTEMPT_OUT_OF_MEMORY.
 */
void vend_run_store_lost (Run *run, const char *outcome);

/* ---- deadlines.c */
void vend_run_arm_deadline (Run *run);
/* Ends a queued run that cannot begin before its deadline, by measured times. */
void vend_run_admit (Run *run);

/* ---- chunks.c: chunks of an iterator */
/* Chunk number `index`, with "$vend.file" objects. A chunk out of order is left out: the end has
 * all chunks. */
void vend_run_take_chunk (Run *run, int64_t index, json_t *chunk);
/* All chunks so far, as the director reports them. */
void vend_run_take_chunks (Run *run, const json_t *output);
/* The attempt is over and does not count. */
void vend_run_forget_chunks (Run *run);

/* ---- broadcast.c: followers of the events */
void vend_run_broadcast_chunk (Run *run, json_t *chunk);
/* The end is on disk. */
void vend_run_broadcast_end (Run *run);
/* Disconnects the followers. */
void vend_run_break_broadcast (Run *run);
/* The same for all predictions that will not run before the next start. */
void vend_sched_drain_broadcasts (VendSched *sched);
