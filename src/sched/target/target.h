/* A target of predictions: one version, with its default settings or on the hardware of a
 * deployment, with its queue and its instances. Core thread. */
#pragma once
#include "policy/admission.h"
#include "policy/boot-backoff.h"
#include "policy/load-history.h"
#include "policy/queue.h"
#include "sched/core.h"
#include "sched/instance/instance.h"

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
  guint pool;          /* the pool that its instances take units of */
  guint size;          /* units per instance */
  VendBilling billing; /* of instances started from now on */
  json_t *launch;
  VendQueue *queue;
  bool has_returned;    /* runs to its queue, which are given out at the end of the turn */
  GPtrArray *instances; /* of Instance, borrowed */
  guint n_running;
  guint n_runs;        /* predictions of this target that have not ended */
  guint n_dated;       /* queued predictions with a deadline */
  VendScaling own;     /* scaling of the deployment; for its instances; the latest network */
  VendScaling scaling; /* effective values; no member is unset */
  guint slots;         /* slots, min and max: from `scaling` */
  guint min;
  guint max;
  double boot_us; /* moving averages; 0 = nothing measured yet */
  double run_us;
  guint n_measured_runs;
  double plain_boot_us; /* moving averages by kind of boot */
  double fast_boot_us;
  double snapshot_boot_us;
  char *snapshot_key; /* of the one that its instances may start from, or NULL */
  VendLoadHistory load;
  VendLeast least_boot;
  VendLeast least_run;
  int64_t served_us; /* the latest decision with an instance that takes the work of this target */
  VendBootBackoff backoff;
  bool retired;
  GPtrArray *kept_weights; /* sets that wait for a start, kept on the shelf; or NULL */
  bool is_looking_for_weights;
  char *image;         /* digest of the manifest that the version is, or NULL */
  bool image_is_there; /* unpacked */
  bool is_unpacking;   /* or looks whether it has to */
  int64_t unpack_began_us;
  int64_t weights_wanted_us; /* when their fetch began */
  int64_t read_ahead_us;     /* the latest time that its weights were read ahead; 0 = never */
  VendMeterSeries *series;   /* borrowed from the meter; NULL until the first count */
};

/* ---- target.c */
Target *vend_target_get (VendSched *sched, const VendPrediction *p, const VendVersion *version,
                         const VendSchedPlace *place);
void vend_target_free (Target *target);
void vend_target_boot_failed (Target *target, const char *error_code, const char *setup_logs,
                              const char *error);
/* The same for what another try does not change: the queued runs fail at once. */
void vend_target_boot_refused (Target *target, const char *error);
/* All instances finish their runs and end, those that are being made too: what they were started
 * with does not hold any more, and what failed with it may succeed now. */
void vend_target_renew (Target *target, const char *reason);
/* The instance never became ready, for no fault of the model. */
void vend_target_boot_lost (const Instance *instance, const char *error);
/* Estimated time until the queued run at `position` begins, from measured boots and runs.
 * VEND_ETA_UNKNOWN when its target has no instance and may have none. */
int64_t vend_target_eta_us (const Target *target, guint position);
/* A run waits: without an instance the weights are read ahead, so that the next one finds them in
 * memory. */
void vend_target_read_ahead (Target *target);
/* Fills free slots from the queue. */
void vend_target_dispatch (Target *target);

/* ---- scaling.c: settings of owners, over the settings of the server */
GHashTable *vend_sched_models_new (void);
/* Sets the effective scaling. */
void vend_target_scale (Target *target, const VendScaling *own);
/* The same for a target without a deployment. */
void vend_target_scale_like_model (Target *target);
bool vend_scaling_recover (VendSched *sched, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The part of a version that a launch needs, owned by the caller. */
VendVersion *vend_version_for_launch (const VendVersion *version);
