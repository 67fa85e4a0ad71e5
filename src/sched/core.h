/* The scheduler's state, and functions that all of its parts use. Core thread. */
#pragma once
#include "base/deferred.h"
#include "base/inbox.h"
#include "sched/run/open-ids.h"
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
  VendShelf *shelf;
  VendImages *images;
  const VendVault *vault; /* or NULL */
  char *data_dir;
  VendRunner *runner;
  VendMachines *machines; /* or NULL */
  char *input_allow;
  char *working_copy;
  const VendIsolationFound *isolation;
  bool isolation_required;
  const VendIsolationFound *image_isolation;
  char *why_no_images; /* NULL: they run here */
  VendNetworkKind max_network;
  char *network_allow;
  VendWebhooks *webhooks;
  VendMeter *meter;
  VendSchedLimits limits;
  const VendSkus *skus;
  const VendPrices *prices;
  Ledger *ledger;
  Budgets *budgets; /* of the ledger */
  const VendCgroups *cgroups;
  GPtrArray *gpus;      /* of VendGpu, as last seen */
  guint n_gpus_healthy; /* atomic, for other threads */
  FastStart *fast_start;

  VendInbox *inbox;
  VendTimers *timers;
  GThreadPool *disk_pool;            /* all work that blocks: starts, clean-ups, moves of files */
  GThreadPool *file_pool;            /* of files elsewhere; NULL: they are on a disk */
  GHashTable *runs;                  /* id → Run (owned) */
  VendOpenIds *open_ids;             /* of the stored ones among `runs`, for other threads */
  GHashTable *targets;               /* key → Target (owned) */
  GHashTable *deployments;           /* "owner/name" → Deployment (owned) */
  GHashTable *models;                /* id → scaling set by the owner; see target/scaling.c */
  guint64 n_reads;                   /* reads of `models` from the store */
  GHashTable *instances;             /* id → Instance (owned) */
  GHashTable *accounts;              /* id → predictions in flight; see account/accounts.c */
  bool has_freed_account;            /* an account at its limit has room again */
  GSource *janitor;                  /* once a second */
  void (*resume) (VendSched *sched); /* dispatches the queues after a start; recover.c */
  VendDeferred *reconciliation;      /* decides and applies the plan; see reconcile.h */
  guint n_queued;
  gsize held_inputs; /* bytes of queued inputs in memory */
  guint n_disk_jobs;
  guint n_adopting; /* directors not heard yet; dispatch waits for them */
  bool draining;

  uint64_t n_given; /* runs to instances; numbers them */
  uint64_t n_submitted;
  uint64_t n_ended;
  uint64_t n_starts;
  uint64_t n_lost;
};

/* Asks for vend_sched_reconcile at the end of this turn of the main loop. */
void vend_sched_reconcile_soon (VendSched *sched);

/* One of `n_adopting` is heard or gone; the last one calls `resume`. */
void vend_sched_adopted_one (VendSched *sched);

/* Blocking work on the disk pool; `done` is called on the core thread. While the scheduler is being
 * freed, work runs at once. */
typedef void (*DiskWork) (void *data);
void vend_sched_on_disk (VendSched *sched, DiskWork work, DiskWork done, void *data);
/* The same for contents of the file store, which may have to come from elsewhere. */
void vend_sched_on_files (VendSched *sched, DiskWork work, DiskWork done, void *data);
