/* The scheduler: owns every prediction that has not ended, every instance, and all timers of both.
 * Its state lives on the core thread; the functions here may be called from any thread and answer
 * on the core thread, unless they say otherwise. */
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
#include "store/store.h"

typedef struct VendSched VendSched;

/* Limits and times, in the units their names tell; see the settings of the same names. */
typedef struct
{
  VendScaling scaling;  /* what owners may set otherwise; no member is unset */
  guint hardware_units; /* that all kinds of hardware without their own share */
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
  int64_t lease_us;       /* how long a director may say nothing */
  uint64_t max_output;
  uint64_t max_output_file;
  uint64_t max_input_file;
  int64_t input_timeout_us;
  uint64_t input_min_speed;
  uint64_t max_logs;
} VendSchedLimits;

typedef struct
{
  GMainContext *core;
  VendStore *store;
  VendBlobs *blobs;
  const char *data_dir;       /* instances/, versions/, venvs/ lie in it */
  const char *vend_binary;    /* what is started as `vend director` */
  const char *input_allow;    /* networks beside public addresses that input URLs may name */
  const char *working_copy;   /* one of VEND_COPY_KINDS */
  VendWebhooks *webhooks;     /* borrowed; or NULL */
  VendMeter *meter;           /* borrowed; outlives it */
  const VendSkus *skus;       /* borrowed; outlives it */
  const VendPrices *prices;   /* borrowed; outlives it */
  const VendCgroups *cgroups; /* borrowed; outlives it */
  GPtrArray *gpus;            /* of VendGpu, taken; NULL: none */
  VendSchedLimits limits;
} VendSchedOptions;

VendSched *vend_sched_new (const VendSchedOptions *options);
/* Core thread, next. Makes all threads that work on the disk, so that none is missing later. */
bool vend_sched_start_disk (VendSched *sched, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Core thread, before anything else: takes up what the last run left: open predictions, living
 * directors, results in journals. Blocks on the store and disk. */
bool vend_sched_recover (VendSched *sched, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Core thread. No prediction may be waited for any more. Instances that run something outlive this;
 * the others are told to stop. */
void vend_sched_free (VendSched *sched);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSched, vend_sched_free)

/* Core thread. From now on nothing is started; `drained` when nothing runs any more. */
void vend_sched_drain (VendSched *sched);
bool vend_sched_is_drained (const VendSched *sched);
/* Whether a director with nothing to run was told to stop and has not answered: an unresponsive
 * director would outlive this server. */
bool vend_sched_has_unresponsive (const VendSched *sched);
/* Kills unresponsive directors with their models. Blocks. */
void vend_sched_kill_unresponsive (VendSched *sched);
/* Core thread. Notifies all waiters of the state as it is now. */
void vend_sched_release_waiters (VendSched *sched);

/* `now` is borrowed and NULL exactly when `error` is set. */
typedef void (*VendSchedNotify) (const VendPrediction *now, const GError *error, void *data);

/* On what a prediction runs; borrowed. */
typedef struct
{
  const char *hardware;
  const VendScaling *scaling; /* of its deployment's release; NULL without a deployment */
} VendSchedPlace;

/* Takes `prediction`, stores it and queues it for `version` (borrowed; its launch is
 * kept), with the instances of its deployment when it names one. One with an idempotency key begins
 * only once it is stored; EXISTS when the key is taken. With `wait_until_us` 0 `notify` is called
 * once the prediction is on disk; otherwise at its end, at that time at the latest. */
void vend_sched_submit (VendSched *sched, VendPrediction *prediction, const VendVersion *version,
                        const VendSchedPlace *place, int64_t wait_until_us, VendSchedNotify notify,
                        void *data);

/* Waits for a prediction that was created before, as its create would: `notify` is called at once
 * with `wait_until_us` 0, else at its end, at that time at the latest. NOT_FOUND when it has ended
 * already. */
void vend_sched_wait (VendSched *sched, const char *id, int64_t wait_until_us,
                      VendSchedNotify notify, void *data);

/* Asks for the end of a prediction. `notify` is called with its state once the request is on disk;
 * NOT_FOUND when it has ended already. */
void vend_sched_cancel (VendSched *sched, const char *id, VendSchedNotify notify, void *data);

/* The live state of a prediction: logs and output so far. NOT_FOUND when it has ended. */
void vend_sched_peek (VendSched *sched, const char *id, VendSchedNotify notify, void *data);

/* The event log of a prediction that has not ended; borrowed. NULL when it has. */
typedef void (*VendSchedFollowed) (VendBroadcast *broadcast, void *data);
void vend_sched_follow (VendSched *sched, const char *id, VendSchedFollowed followed, void *data);

/* Stops all instances of a version that is going away. */
void vend_sched_retire (VendSched *sched, int64_t model_id, const char *version);

typedef void (*VendSchedSettled) (void *data);
/* What is stored of a model's scaling, or its latest version, is another one. `settled`, which may
 * be NULL, comes on the core thread when its instances follow it. */
void vend_sched_model_changed (VendSched *sched, int64_t model_id, VendSchedSettled settled,
                               void *data);
/* What holds where an owner sets nothing. Any thread, at once; borrowed. */
const VendScaling *vend_sched_default_scaling (const VendSched *sched);

/* Takes `take`, a deployment that was stored with a new current release of `version` (borrowed).
 * `settled` comes on the core thread when it is decided and stored which release takes the
 * predictions from now on. */
void vend_sched_deploy (VendSched *sched, VendDeployment *take, const VendVersion *version,
                        VendSchedSettled settled, void *data);
/* The deployment was deleted. */
void vend_sched_undeploy (VendSched *sched, const VendDeployment *deployment);

/* Sets what an account may spend, or takes the limits away. `notify` is called on the core thread,
 * with what is spent of it; `error` is NULL when it is stored. */
typedef void (*VendSchedBudgeted) (const VendBudget *budget, VendAmount spent, const GError *error,
                                   void *data);
void vend_sched_set_budget (VendSched *sched, const VendBudget *budget, VendSchedBudgeted notify,
                            void *data);

/* Stores what the instances of an account have taken until now, so that a reader that begins after
 * it sees that. Any thread but the core thread; blocks for a commit, for 2 s at most. When that
 * took longer or failed, what is stored may be a minute old. */
void vend_sched_store_usage (VendSched *sched, int64_t account_id);

/* How the GPUs are now, of VendGpu; `take` goes over. Instances leave unhealthy ones. */
void vend_sched_update_gpus (VendSched *sched, GPtrArray *take);

/* How many instances on this kind of hardware the machine holds when there are no others. Any
 * thread. */
guint vend_sched_room (const VendSched *sched, const char *hardware);

/* Queues, instances and counters for people and tests; `all`: also the id of every prediction that
 * has not ended. */
typedef void (*VendSchedDescribed) (json_t *take, void *data);
void vend_sched_describe (VendSched *sched, bool all, VendSchedDescribed described, void *data);

/* The same for people who look every second: bounded lists, the busiest first, and what processes
 * and the machine do. Adds to the object `take`; `notify` gets the text of it. */
typedef void (*VendSchedStatusReady) (char *take_text, void *data);
void vend_sched_status (VendSched *sched, json_t *take, VendSchedStatusReady notify, void *data);

/* `measured` comes when the gauges of the meter show how things stand. */
typedef void (*VendSchedMeasured) (void *data);
void vend_sched_measure (VendSched *sched, VendSchedMeasured measured, void *data);
