/* The scheduler's state, and what all of its parts use. All of it belongs to the core thread. */
#pragma once
#include "base/deferred.h"
#include "base/inbox.h"
#include "sched/sched.h"
#include "sched/timers.h"

typedef struct Target Target;
typedef struct Instance Instance;
typedef struct FastStart FastStart;
typedef struct Ledger Ledger;
typedef struct Budgets Budgets;

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
  GHashTable *models;      /* id → what its owner set for its instances; see target/scaling.c */
  guint64 n_reads;         /* of the store for that */
  GHashTable *instances;   /* id → Instance (owned) */
  GHashTable *accounts;    /* id → what it has under way; see account/accounts.c */
  bool has_freed_account;  /* one that had no room has some again */
  GSource *janitor;        /* once a second */
  void (*resume) (VendSched *sched); /* gives out what waits after a start; recover.c */
  VendDeferred *reconciliation;      /* decides on instances, and applies that; see reconcile.h */
  guint n_queued;
  gsize held_inputs; /* bytes of memory of inputs that wait in queues */
  guint n_disk_jobs;
  guint n_adopting; /* directors not heard yet; nothing is given out before */
  bool draining;

  uint64_t n_given; /* runs to instances; numbers them */
  uint64_t n_submitted;
  uint64_t n_ended;
  uint64_t n_starts;
  uint64_t n_lost;
};

/* Asks for vend_sched_reconcile at the end of this turn of the main loop. */
void vend_sched_reconcile_soon (VendSched *sched);

/* One of `n_adopting` has been heard, or is gone; after the last one comes `resume`. */
void vend_sched_adopted_one (VendSched *sched);

/* Work that blocks, on the disk pool; `done` comes back on the core thread. While the
 * scheduler is taken apart it runs at once. */
typedef void (*DiskWork) (void *data);
void vend_sched_on_disk (VendSched *sched, DiskWork work, DiskWork done, void *data);
