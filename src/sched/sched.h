/* The scheduler: owns every prediction that has not ended, every instance, and all timers of both.
 * The state lives on the core thread. Functions may be called from any thread and answer on the
 * core thread, unless they say otherwise. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "cgroup/bases.h"
#include "events/broadcast.h"
#include "events/webhooks.h"
#include "files/blobs.h"
#include "hardware/gpu.h"
#include "meter/meter.h"
#include "model/budget.h"
#include "model/deployment.h"
#include "model/model.h"
#include "model/prediction.h"
#include "model/scaling.h"
#include "model/sku.h"
#include "runner/runner.h"
#include "sandbox/probe.h"
#include "secrets/vault.h"
#include "store/store.h"
#include "image/images.h"
#include "machines/machines.h"
#include "weights/shelf.h"

typedef struct VendSched VendSched;

/* Limits and times; the name of a member tells its unit. See the settings of the same names. */
typedef struct
{
  VendScaling scaling;  /* defaults that owners may override; no member is unset */
  guint hardware_units; /* shared by all kinds of hardware without units of their own */
  guint boot_limit;
  guint max_queue;
  guint account_max_queued;
  guint account_max_running; /* 0 = no limit */
  uint64_t account_max_stored;
  int64_t starvation_us; /* 0 = no bound */
  int64_t setup_timeout_us;
  int64_t predict_timeout_us;
  int64_t train_timeout_us;
  int64_t cancel_grace_us;
  int64_t stop_grace_us;
  uint64_t zygote_memory; /* of all zygotes together */
  int64_t lease_us;       /* time after which a silent director is given up */
  uint64_t max_output;
  uint64_t max_output_file;
  uint64_t max_input_file;
  int64_t input_timeout_us;
  uint64_t input_min_speed;
  uint64_t max_logs;
  uint64_t instance_disk; /* 0 = no limit */
  uint64_t home_disk;     /* likewise */
} VendSchedLimits;

typedef struct
{
  GMainContext *core;
  VendStore *store;
  VendBlobs *blobs;
  VendShelf *shelf;
  VendImages *images;       /* borrowed */
  const VendVault *vault;   /* borrowed; outlives it. NULL: instances have no secrets */
  VendRunner *runner;       /* borrowed; outlives it */
  VendMachines *machines;   /* borrowed; outlives it. NULL: instances run on this one alone */
  const char *data_dir;     /* versions/, venvs/ lie in it */
  const char *input_allow;  /* networks besides public addresses that input URLs may name */
  const char *working_copy; /* one of VEND_COPY_KINDS */
  const VendIsolationFound *isolation;       /* borrowed; NULL: there is none */
  bool isolation_required;                   /* a weaker one than a sandbox will not do */
  const VendIsolationFound *image_isolation; /* borrowed; of images, which need a sandbox */
  VendNetworkKind max_network;               /* the widest that instances get */
  const char *network_allow;                 /* networks that they reach beside public addresses */
  VendWebhooks *webhooks;                    /* borrowed; or NULL */
  VendMeter *meter;                          /* borrowed; outlives it */
  const VendSkus *skus;                      /* borrowed; outlives it */
  const VendPrices *prices;                  /* borrowed; outlives it */
  const VendCgroups *cgroups;                /* borrowed; outlives it */
  GPtrArray *gpus;                           /* of VendGpu, taken; NULL: none */
  VendSchedLimits limits;
} VendSchedOptions;

VendSched *vend_sched_new (const VendSchedOptions *options);
/* A sentence for people; NULL: images run here. Any thread. Borrowed. */
const char *vend_sched_why_no_images (const VendSched *sched);
/* Core thread, next. Starts all threads for work on the disk, so that none is missing later. */
bool vend_sched_start_disk (VendSched *sched, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Core thread, before anything else. Recovers the state of the last run: open predictions, living
 * directors, results in journals. Blocks on the store and disk. */
bool vend_sched_recover (VendSched *sched, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Core thread. Must have no waiters any more. Instances with runs outlive the scheduler; the others
 * are sent a stop. */
void vend_sched_free (VendSched *sched);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSched, vend_sched_free)

/* Core thread. Starts nothing from now on; `drained` is called when nothing runs any more. */
void vend_sched_drain (VendSched *sched);
bool vend_sched_is_drained (const VendSched *sched);
/* Whether a director was sent a stop, runs nothing, and has not answered. An unresponsive director
 * would outlive this server. */
bool vend_sched_has_unresponsive (const VendSched *sched);
/* Kills unresponsive directors with their models. Blocks. */
void vend_sched_kill_unresponsive (VendSched *sched);
/* Core thread. Notifies all waiters of the current state. */
void vend_sched_release_waiters (VendSched *sched);

/* `now` is borrowed and NULL exactly when `error` is set. */
typedef void (*VendSchedNotify) (const VendPrediction *now, const GError *error, void *data);

/* Where a prediction runs; borrowed. */
typedef struct
{
  const char *hardware;
  const VendScaling *scaling; /* of the deployment's release; NULL without a deployment */
} VendSchedPlace;

/* Takes `prediction`, stores it and queues it for `version` (borrowed; its launch is kept), with
 * the instances of its deployment if it names one. A prediction with an idempotency key begins only
 * after it is stored; EXISTS when the key is taken. With `wait_until_us` 0 `notify` is called once
 * the prediction is on disk; otherwise at its end, at that time at the latest. */
void vend_sched_submit (VendSched *sched, VendPrediction *prediction, const VendVersion *version,
                        const VendSchedPlace *place, int64_t wait_until_us, VendSchedNotify notify,
                        void *data);

/* Adds a waiter to an existing prediction, as its create would: with `wait_until_us` 0 `notify` is
 * called at once, else at the end, at that time at the latest. NOT_FOUND when the prediction has
 * ended. */
void vend_sched_wait (VendSched *sched, const char *id, int64_t wait_until_us,
                      VendSchedNotify notify, void *data);

/* Requests the cancellation of a prediction. `notify` is called with its state once the request is
 * on disk; NOT_FOUND when the prediction has ended. */
void vend_sched_cancel (VendSched *sched, const char *id, VendSchedNotify notify, void *data);

/* The live state of a prediction: logs and output so far. NOT_FOUND when the prediction has
 * ended. */
void vend_sched_peek (VendSched *sched, const char *id, VendSchedNotify notify, void *data);
/* True when the live state of a stored prediction is in memory, so that `vend_sched_peek` needs no
 * row. It may end before the next call. Any thread. */
bool vend_sched_is_open (VendSched *sched, const char *id);

/* The broadcast log of a prediction, borrowed; NULL when the prediction has ended. */
typedef void (*VendSchedFollowed) (VendBroadcast *broadcast, void *data);
void vend_sched_follow (VendSched *sched, const char *id, VendSchedFollowed followed, void *data);
/* The same with a log of the caller, which is empty; a reference of it is taken. `followed` is
 * called with it, or with NULL when the prediction has ended. */
void vend_sched_follow_as (VendSched *sched, const char *id, VendBroadcast *take,
                           VendSchedFollowed followed, void *data);

/* Stops all instances of a version that is being deleted. */
void vend_sched_retire (VendSched *sched, int64_t model_id, const char *version);

typedef void (*VendSchedSettled) (void *data);
/* The stored scaling of a model, or its latest version, has changed. `settled`, which may be NULL,
 * is called on the core thread when the instances follow the change. */
void vend_sched_model_changed (VendSched *sched, int64_t model_id, VendSchedSettled settled,
                               void *data);
/* The stored secrets of a model, or, with a name, those of a deployment "owner/name", have changed:
 * instances that were started with the old ones finish their runs and take no more. `settled` is
 * called on the core thread when no run will be given to them. */
void vend_sched_secrets_changed (VendSched *sched, int64_t model_id, const char *deployment,
                                 VendSchedSettled settled, void *data);
/* Scaling for settings that an owner leaves unset. Any thread, at once; borrowed. */
const VendScaling *vend_sched_default_scaling (const VendSched *sched);
/* Sets the network that instances with this effective scaling get: none that is wider than this
 * server gives, and the host's where there are no sandboxes. Any thread, at once. */
void vend_sched_hold_network (const VendSched *sched, VendScaling *scaling);
/* The widest network that an owner may ask for. Any thread, at once. */
VendNetworkKind vend_sched_max_network (const VendSched *sched);

/* Takes `take`, a deployment stored with a new current release of `version` (borrowed). `settled`
 * is called on the core thread when the release that takes predictions from now on is decided and
 * stored. */
void vend_sched_deploy (VendSched *sched, VendDeployment *take, const VendVersion *version,
                        VendSchedSettled settled, void *data);
/* The deployment was deleted. */
void vend_sched_undeploy (VendSched *sched, const VendDeployment *deployment);

/* Sets or removes the spending limits of an account. `notify` is called on the core thread with the
 * amount spent so far; `error` is NULL when the limits are stored. */
typedef void (*VendSchedBudgeted) (const VendBudget *budget, VendAmount spent, const GError *error,
                                   void *data);
void vend_sched_set_budget (VendSched *sched, const VendBudget *budget, VendSchedBudgeted notify,
                            void *data);

/* Stores the usage of an account's instances until now, so that a later reader sees it. Any thread
 * but the core thread; blocks for a commit, for 2 s at most. After a timeout or an error the stored
 * usage may be a minute old. */
void vend_sched_store_usage (VendSched *sched, int64_t account_id);

/* The current state of the GPUs, of VendGpu; `take` goes over. Instances leave unhealthy GPUs. */
void vend_sched_update_gpus (VendSched *sched, GPtrArray *take);

/* The number of instances on this kind of hardware that an empty machine holds. Any thread. */
guint vend_sched_room (const VendSched *sched, const char *hardware);

/* Queues, instances and counters for people and tests; `all`: also the ids of all predictions that
 * have not ended. */
typedef void (*VendSchedDescribed) (json_t *take, void *data);
void vend_sched_describe (VendSched *sched, bool all, VendSchedDescribed described, void *data);

/* The same for a page that polls every second: bounded lists, the busiest first, with processes and
 * machine. Adds to the object `take`; `notify` gets the text of it. */
typedef void (*VendSchedStatusReady) (char *take_text, void *data);
void vend_sched_status (VendSched *sched, json_t *take, VendSchedStatusReady notify, void *data);

/* A model with instances of its own: not those of deployments. */
typedef struct
{
  char *model; /* "owner/name" */
  int64_t model_id;
  bool is_ready; /* else an instance is on its way */
} VendWarm;
#define VEND_WARM_MAX 500
/* At most VEND_WARM_MAX, one for each version, of VendWarm. */
typedef void (*VendSchedWarm) (GPtrArray *take, void *data);
void vend_sched_warm (VendSched *sched, VendSchedWarm notify, void *data);

/* `measured` is called when the gauges of the meter show the current state. */
typedef void (*VendSchedMeasured) (void *data);
void vend_sched_measure (VendSched *sched, VendSchedMeasured measured, void *data);
