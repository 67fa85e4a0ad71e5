/* What predictions are queued for: one version, with its default settings or on the hardware of a
 * deployment, and the instances of it. Core thread. */
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
  guint pool;          /* whose units its instances take */
  guint size;          /* and how many each */
  VendBilling billing; /* of instances that are started from now on */
  json_t *launch;
  VendQueue *queue;
  bool has_returned;    /* runs to its queue, which are given out at the end of the turn */
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

/* ---- target.c */
Target *vend_target_get (VendSched *sched, const VendPrediction *p, const VendVersion *version,
                         const VendSchedPlace *place);
void vend_target_free (Target *target);
void vend_target_boot_failed (Target *target, const char *error_code, const char *setup_logs,
                              const char *error);
/* It never became ready, for no fault of the model. */
void vend_target_boot_lost (const Instance *instance, const char *error);
/* How long until this one begins, from what boots and runs have taken; it is queued.
 * VEND_ETA_UNKNOWN when its target has no instance and may have none. */
int64_t vend_target_eta_us (const Target *target, guint position);
/* Gives free slots to whom they are due. */
void vend_target_dispatch (Target *target);

/* ---- scaling.c: what owners set, over the settings of the server */
GHashTable *vend_sched_models_new (void);
/* Sets what holds for it. */
void vend_target_scale (Target *target, const VendScaling *own);
/* The same for one without a deployment. */
void vend_target_scale_like_model (Target *target);
bool vend_scaling_recover (VendSched *sched, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a launch needs of a version, owned by the caller. */
VendVersion *vend_version_for_launch (const VendVersion *version);
