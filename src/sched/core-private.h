/* The scheduler's state. All of it belongs to the core thread. */
#pragma once
#include <sys/types.h>

#include "base/inbox.h"
#include "events/broadcast.h"
#include "model/instance-usage.h"
#include "model/prediction.h"
#include "model/webhook.h"
#include "runner/link.h"
#include "policy/admission.h"
#include "sched/timers.h"
#include "policy/boot-backoff.h"
#include "sched/budgets.h"
#include "sched/completion.h"
#include "policy/load-history.h"
#include "policy/queue.h"
#include "sched/sched.h"
#include "sched/waiters.h"

typedef struct Target Target;
typedef struct Deployment Deployment;
typedef struct Instance Instance;
typedef struct Submission Submission;
typedef struct FastStart FastStart;
typedef struct Ledger Ledger;

struct VendSched
{
  GMainContext *core;
  VendStore *store;
  VendBlobs *blobs;
  char *data_dir;
  char *instances_dir;
  char *vend_binary;
  char *input_allow;
  char *working_copy;
  VendWebhooks *webhooks;
  VendMeter *meter;
  VendSchedLimits limits;
  const VendSkus *skus;
  const VendPrices *prices;
  Ledger *ledger;
  Budgets *budgets; /* those of the ledger */
  const VendCgroups *cgroups;
  GPtrArray *gpus;      /* of VendGpu, as last seen */
  guint n_gpus_healthy; /* of these; atomic, for other threads */
  FastStart *fast_start;

  VendInbox *inbox;
  VendTimers *timers;
  GThreadPool *disk_pool;  /* starts, cleans up, moves files: everything here that blocks */
  GHashTable *runs;        /* id → Run (owned) */
  GHashTable *targets;     /* key → Target (owned) */
  GHashTable *deployments; /* "owner/name" → Deployment (owned) */
  GHashTable *models;      /* id → what its owner set for its instances; see scaling.c */
  guint64 n_reads;         /* of the store for that */
  GHashTable *instances;   /* id → Instance (owned) */
  GHashTable *accounts;    /* id → what it has under way; see accounts.c */
  bool has_freed_account;  /* one that had no room has some again */
  GSource *janitor;        /* once a second */
  GSource *sweep;          /* at the end of this turn */
  guint n_queued;
  gsize held_inputs; /* bytes of memory of inputs that wait in queues */
  guint n_disk_jobs;
  guint n_adopting; /* directors not heard yet; nothing is given out before */
  bool draining;

  uint64_t n_submitted;
  uint64_t n_ended;
  uint64_t n_starts;
  uint64_t n_lost;
};

struct Target
{
  VendSched *sched;
  char *key;
  char *name;       /* owner/name, for people */
  char *deployment; /* "owner/name" of the deployment whose instances these are, or NULL */
  int64_t model_id;
  char *version;
  VendKind kind;
  char *hardware;
  guint pool;          /* whose units its instances take */
  guint size;          /* and how many each */
  VendBilling billing; /* of instances that are started from now on */
  json_t *launch;
  VendQueue *queue;
  GPtrArray *instances; /* of Instance, borrowed */
  guint n_running;
  guint n_runs;        /* predictions that point here */
  guint n_dated;       /* of those that wait: with a deadline */
  VendScaling own;     /* of a deployment's: how its instances run */
  VendScaling scaling; /* what holds: no member is unset */
  guint slots;         /* these are of it */
  guint min;
  guint max;
  double boot_us; /* moving averages; 0 = nothing measured yet */
  double run_us;
  guint n_measured_runs; /* measured */
  double plain_boot_us;  /* the same of one kind of boot */
  double fast_boot_us;
  VendLoadHistory load;
  VendLeast least_boot;
  VendLeast least_run;
  int64_t served_us; /* when a decision last saw an instance that takes its work */
  VendBootBackoff backoff;
  bool retired;
  VendMeterSeries *series; /* borrowed from the meter; NULL until something is counted */
};

typedef enum
{
  INSTANCE_STARTING, /* process being made, or not yet connected */
  INSTANCE_BOOTING,  /* connected; the model sets up */
  INSTANCE_READY,
  INSTANCE_STOPPING,
  INSTANCE_GONE, /* being cleaned up */
} InstanceState;

/* See metering.c. */
typedef struct
{
  VendInstanceUsage *piece; /* the one that grows; NULL: nothing is counted */
  int64_t put_us;           /* until here it is on its way to the disk */
  int64_t busy_us;          /* what of the rest is not idle */
  int64_t counted_us;       /* monotonic: when it grew */
  GArray *heard; /* of VendSpan: runs of a time that nobody saw; NULL: all of it is seen */
  int64_t heard_ready_us;
  bool is_ready;
} InstanceMeter;

struct Instance
{
  VendSched *sched;
  Target *target;
  char *id;
  char *dir;
  InstanceState state;
  pid_t pid; /* of a director that we started; 0 = adopted or not started yet */
  VendLink *link;
  VendTimer *timer;    /* the next try to connect */
  VendTimer *stop_due; /* the end of patience with a stop */
  int64_t give_up_us;  /* on connecting */
  gsize frame_limit;   /* of its connection, as its director was started with */
  bool checking;       /* whether the director lives is being looked up */
  bool adopted;        /* was there before this start of ours */
  bool adopting;       /* and has not said hello yet */
  bool stop_when_connected;
  bool hears_stop;       /* it has said that it stops */
  bool evicted;          /* its stop makes room for another model */
  bool draining;         /* ends what it runs, and is given no more */
  bool reaped;           /* killed, its journal read */
  GHashTable *unsettled; /* keys of journal entries whose result is not on disk yet */
  GHashTable *running;   /* id → Run, borrowed */
  guint slots;
  guint prefetch;   /* runs that its director prefetches beyond its slots */
  int64_t moved_us; /* a run of it last ended, or was given to it while it had none */
  bool pings;       /* it answers them */
  guint silent_s;   /* ticks since it said something */
  bool caught_up;   /* it has told all that it had to tell on this connection */
  guint behind_s; /* ticks for which it owes that, over all connections, or the next piece of it */
  int64_t created_us;
  int64_t ready_us;
  int64_t idle_since_us;
  int64_t began_us;    /* its latest run was given to it; 0 = none yet */
  int64_t closed_us;   /* when its director went away; 0 = it did not */
  VendBilling billing; /* as it was at its start */
  InstanceMeter meter;
  guint failures; /* of runs, in a row */
  char **gpus;    /* UUIDs of those that it has; NULL: none */
  GString *setup_logs;
  char *zygote;         /* socket of the one that it is forked from, or NULL */
  char *plain_why;      /* why it starts, or started, plainly */
  bool records_imports; /* and they are not learned yet */
  bool learning;        /* its record is being read */
  bool started_fast;
  char *why; /* of its end */
};

/* A prediction that has not ended, or whose end is not on disk yet. */
struct Run
{
  VendSched *sched;
  VendPrediction *p;
  Target *target;
  Instance *instance; /* of the attempt under way, or NULL */
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

/* ---- accounts.c: what each account has under way */
GHashTable *vend_sched_accounts_new (void);
void vend_account_opened (VendSched *sched, int64_t id);
void vend_account_closed (VendSched *sched, int64_t id);
void vend_account_began (VendSched *sched, int64_t id);
void vend_account_ended (VendSched *sched, int64_t id);
/* A VendQueueRoom; `sched` is its data. */
guint vend_account_room (int64_t id, const void *sched);
bool vend_account_may_queue (const VendSched *sched, int64_t id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* What all of them together have under way, for vend_sched_describe. */
json_t *vend_accounts_describe (const VendSched *sched);

/* ---- run.c: the life of a prediction */
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
/* Stores that this attempt is lost. */
void vend_run_store_lost (Run *run);

/* ---- inputs.c: inputs of those that wait are in memory as far as there is room for them, else on
 * disk only (`input` is NULL). */
#define VEND_QUEUE_INPUTS_MAX (64 * 1024 * 1024)
/* It waits in the queue, or its row is stored now. */
void vend_inputs_queued (Run *run);
void vend_inputs_left_queue (Run *run);
/* Reads the input, then gives it to the instance that it has by then. */
void vend_inputs_fetch (Run *run);
/* Calls `notify` with this state and its input, which may have to be read first. */
void vend_inputs_notify (VendSched *sched, const VendPrediction *state, VendSchedNotify notify,
                         void *data);

/* ---- deadlines.c */
void vend_run_arm_deadline (Run *run);
/* Ends one that waits and cannot begin before its deadline, by what was measured. */
void vend_run_admit (Run *run);

/* ---- webhook.c: what is written for the webhook of a prediction, and when. All of it costs
 * nothing for those without one. */
void vend_run_webhook_init (Run *run);
void vend_run_webhook_clear (Run *run);
/* The model has begun. */
void vend_run_webhook_started (Run *run);
/* VEND_WEBHOOK_OUTPUT or VEND_WEBHOOK_LOGS: there is more of it. */
void vend_run_webhook_changed (Run *run, guint event);
/* It goes back to the queue: what it said does not count. */
void vend_run_webhook_requeued (Run *run);
/* The message that it started, not written yet, for the transaction that stores the start; or NULL.
 * Owned by the caller. */
typedef struct WebhookMessage WebhookMessage;
WebhookMessage *vend_run_webhook_take_start (Run *run);
/* It could not be written. Takes it; NULL does nothing. */
void vend_run_webhook_return_start (Run *run, WebhookMessage *start);
void vend_webhook_message_free (WebhookMessage *message);
/* Writer thread. */
bool vend_webhook_message_store (VendDb *db, const WebhookMessage *message, GError **error);
/* Core thread: once it is known how it ends, then before each try to store that. */
void vend_run_webhook_ending (Run *run);
void vend_run_webhook_writing_end (Run *run);
/* Writer thread, in the transaction of the end, with `p` as it ends. `hooks` may be NULL. */
bool vend_run_webhook_store_end (VendDb *db, const RunWebhook *webhook, const VendPrediction *p,
                                 GError **error);
/* Core thread: the end is stored. */
void vend_run_webhook_ended (Run *run);
/* Something was written. */
void vend_run_webhook_stored (const VendSched *sched);

/* ---- chunks.c: what an iterator yields */
/* Chunk number `index`, with "$vend.file" objects. One that does not follow the last one is left
 * out: the end has them all. */
void vend_run_take_chunk (Run *run, int64_t index, json_t *chunk);
/* All that the model yielded so far, as its director says. */
void vend_run_take_chunks (Run *run, const json_t *output);
/* The attempt is over and does not count. */
void vend_run_forget_chunks (Run *run);

/* ---- broadcast.c: those who follow the events */
void vend_run_broadcast_chunk (Run *run, json_t *chunk);
/* The end is on disk. */
void vend_run_broadcast_end (Run *run);
/* Sends those who follow away. */
void vend_run_break_broadcast (Run *run);
/* The same for all that will not run before the next start. */
void vend_sched_drain_broadcasts (VendSched *sched);

/* ---- sched.c */
/* Sends its row on the way to the disk, if it is not; goes before every other write about it. */
void vend_run_store_insert (Run *run);
void vend_submission_free (Submission *submission);
/* What a launch needs of a version, owned by the caller. */
VendVersion *vend_version_for_launch (const VendVersion *version);

/* ---- outputs.c: brings output files into the file store, off the core thread */
/* What was brought in, and stays there without rows as long as this does. */
struct Outputs
{
  VendBlobs *blobs;
  GPtrArray *rows; /* of VendOutput; those of a result belong into its transaction */
};
void vend_outputs_free (Outputs *outputs);
/* A new value with "vend-output:" strings, and what to keep until the rows are stored; both go
 * over, and are NULL with an error. */
typedef void (*OutputsTaken) (json_t *output, Outputs *outputs, const GError *error, void *data);
bool vend_outputs_have_files (const json_t *output);
/* `output` is not changed, and the director's files stay where they are: until the result is
 * stored it may name them again, and then gets the same tokens. */
void vend_outputs_take (VendSched *sched, const char *prediction, const json_t *output,
                        OutputsTaken taken, void *data);
/* Removes the director's files that a result names, once nobody will ask for them again. */
void vend_outputs_forget (VendSched *sched, const json_t *output);

/* ---- instance.c: the life of an instance */
/* NULL: the GPUs that it was to have are not there any more. */
Instance *vend_instance_start (Target *target, const char *reason);
/* One that was found on disk after a restart. */
Instance *vend_instance_adopt (Target *target, const char *id, guint slots, int64_t created_us,
                               const json_t *spec, const VendInstanceUsage *last);
void vend_instance_stop (Instance *instance, const char *reason);
/* It was told to stop, has nothing to run, and has not answered. */
bool vend_instance_is_unresponsive (const Instance *instance);
/* Kills an unresponsive one with its model; blocks. */
void vend_instance_kill (Instance *instance);
/* It ends what it runs; the next plan without anything on it stops it. */
void vend_instance_drain (Instance *instance, const char *reason);
void vend_instance_run (Instance *instance, Run *run);
void vend_instance_cancel (Instance *instance, Run *run);
/* Tells it to drop a run that nobody wants. */
void vend_instance_drop (Instance *instance, const char *prediction, int attempt);
/* Once a second: one that says nothing is asked, and given up when the lease has passed. */
void vend_instance_tick (Instance *instance);
/* The result is on disk, or is not wanted. */
void vend_instance_settle (Instance *instance, const char *prediction, int attempt);
void vend_instance_acknowledge (VendSched *sched, const char *instance_id, const char *prediction,
                                int attempt);
/* Takes the prediction off the instance; its slot is free. */
void vend_instance_detach (Instance *instance, Run *run);
void vend_instance_free (Instance *instance);
/* Frees it and removes its directory once nothing of it is needed; true when it did. */
bool vend_instance_clean_up (Instance *instance);
bool vend_instance_has_room (const Instance *instance);
/* No slot is free, but the director prefetches a run for the first one that is. */
bool vend_instance_has_prefetch_room (const Instance *instance);

/* ---- frames.c: what directors say */
void vend_instance_on_frame (Instance *instance, json_t *frame);
/* Journal entries of a director that is gone. */
void vend_instance_on_journal (Instance *instance, json_t *completed);

/* ---- scaling.c: what owners set, over the settings of the server */
GHashTable *vend_sched_models_new (void);
/* Sets what holds for it. */
void vend_target_scale (Target *target, const VendScaling *own);
/* The same for one without a deployment. */
void vend_target_scale_like_model (Target *target);
bool vend_scaling_recover (VendSched *sched, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- deployments.c: which release takes predictions, and what bounds its instances */
/* Sets its bounds, and whether it is on its way out. */
void vend_target_refresh (Target *target);
/* Switches to new releases that are ready. */
void vend_deployments_switch (VendSched *sched);
bool vend_deployments_recover (VendSched *sched, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* For vend_sched_describe. */
json_t *vend_deployments_describe (VendSched *sched);
void vend_deployment_state_free (Deployment *deployment);

/* ---- decisions.c: what was decided, and why, on its way to the store. After the fact, but for a
 * stop and a lost run. */
void vend_decided_start (const Instance *instance, const char *reason);
void vend_decided_stop (const Instance *instance, const char *reason);
/* It ends what it runs, and stops then. */
void vend_decided_drain (const Instance *instance, const char *reason);
void vend_decided_ready (const Instance *instance);
void vend_decided_gone (const Instance *instance);
void vend_decided_boot_failed (const Target *target, bool lost, const char *error_code,
                               const char *error);
/* Before waiters are notified. */
void vend_decided_queue_failed (const Target *target, bool lost);
void vend_decided_roll (const Target *to, int64_t release, const char *why);
void vend_decided_release (const Run *run);
/* `refusal` says that and why it is not tried again; NULL: it is. */
void vend_decided_lost (const Run *run, const char *refusal, bool started, bool emitted,
                        const char *why);
void vend_decided_deadline (const Run *run, bool aborted);
/* It ends since it cannot begin in time. */
void vend_decided_unreachable (const Run *run, const char *why, double wait_seconds);

/* ---- measure.c: what is counted for metrics */
/* It was given to an instance. */
void vend_measure_given (const Run *run);
/* Its end is on disk. */
void vend_measure_ended (const Run *run);
void vend_measure_lost (const Run *run);
void vend_measure_ready (const Instance *instance);
void vend_measure_boot_failed (Target *target);

/* ---- metering.c: the time that instances take */
/* Its process has been started. */
void vend_metering_begin (Instance *instance);
/* One that was found: what has passed since `last` (or NULL) is heard, and counted by catch_up. */
void vend_metering_adopt (Instance *instance, const VendInstanceUsage *last);
/* A run in that time; `completed_us` 0: it goes on. */
void vend_metering_heard (Instance *instance, int64_t started_us, int64_t completed_us);
void vend_metering_heard_ready (Instance *instance, int64_t at_us);
void vend_metering_catch_up (Instance *instance, bool lives);
/* It is ready from now on. */
void vend_metering_ready (Instance *instance);
/* Before it begins to run something, or has nothing to run any more. */
void vend_metering_count (Instance *instance);
void vend_metering_tick (Instance *instance);
/* Its director is gone since then. */
void vend_metering_end (Instance *instance, int64_t at_us);
/* One that an older Vend has started: its runs are billed, as they were so far. */
void vend_metering_forget (Instance *instance);
void vend_metering_clear (Instance *instance);

/* ---- ledger.c: what was metered, on its way to the disk and into sums */
Ledger *vend_ledger_new (VendStore *store);
Ledger *vend_ledger_ref (Ledger *ledger);
void vend_ledger_unref (Ledger *ledger);
Budgets *vend_ledger_get_budgets (Ledger *ledger);
/* The scheduler goes. */
void vend_ledger_close (Ledger *ledger);
/* Keeps a write that failed for the next tick; false: there is none any more. */
bool vend_ledger_retry (Ledger *ledger, VendStoreJob job, VendStoreDone done, void *data);
/* Writes that failed wait for the next tick. */
bool vend_ledger_is_behind (const Ledger *ledger);
void vend_ledger_tick (Ledger *ledger);
/* So much time at this price is billed to the account, and on disk. */
void vend_ledger_charge (Ledger *ledger, int64_t account_id, int64_t at_us, int64_t price,
                         int64_t time_us);

/* ---- pools.c: what the machine has for instances */
guint vend_pools_count (const VendSched *sched);
/* The pool of a kind of hardware, and how many units of it one instance takes. */
guint vend_pool_of (const VendSched *sched, const char *hardware, guint *out_size);
guint vend_pool_units (const VendSched *sched, guint pool);
guint vend_pool_used (const VendSched *sched, guint pool);
/* After `gpus` has changed. */
void vend_pools_count_gpus (VendSched *sched);
/* Gives it healthy GPUs that nobody has, as many as its hardware says; false when there are not. */
bool vend_instance_take_gpus (Instance *instance);
/* An adopted one has those that its spec names: the list of vend_instance_gpus_json. */
void vend_instance_keep_gpus (Instance *instance, const json_t *gpus);
json_t *vend_instance_gpus_json (const Instance *instance);
/* Value of CUDA_VISIBLE_DEVICES; NULL: Vend gives out no GPUs here. Free with g_free. */
char *vend_instance_visible_gpus (const Instance *instance);
json_t *vend_pools_describe (const VendSched *sched);
json_t *vend_gpus_describe (const VendSched *sched);

/* ---- describe.c */
const char *vend_instance_state_name (InstanceState state);

/* ---- limits.c: memory, CPU and processes of an instance */
/* Sets "limits" and "cgroups" of the spec of an instance on this hardware. */
void vend_limits_set (const VendSched *sched, const char *hardware, json_t *spec);
/* {"memory": "cgroup v1", …}: what keeps instances on this hardware to their limits. */
json_t *vend_limits_kept_by (const VendSched *sched, const VendSku *sku);

/* ---- recover.c */
/* An adopted instance has said hello, or has gone. */
void vend_sched_adopted (Instance *instance);

/* ---- apply.c: queues and instances brought together */
Target *vend_target_get (VendSched *sched, const VendPrediction *p, const VendVersion *version,
                         const VendSchedPlace *place);
void vend_target_free (Target *target);
void vend_target_boot_failed (Target *target, const char *error_code, const char *setup_logs,
                              const char *error);
/* It never became ready, for no fault of the model. */
void vend_target_boot_lost (const Instance *instance, const char *error);
/* How long until this one begins, from what boots and runs have taken; it is queued. */
int64_t vend_target_eta_us (const Target *target, guint position);
/* Gives free slots to whom they are due. */
void vend_target_dispatch (Target *target);
/* Decides and applies at the end of this turn of the main loop. */
void vend_sched_sweep_soon (VendSched *sched);

/* ---- Work that blocks, on the disk pool; `done` comes back on the core thread. While the
 * scheduler is taken apart it runs at once. */
typedef void (*DiskWork) (void *data);
void vend_sched_on_disk (VendSched *sched, DiskWork work, DiskWork done, void *data);
