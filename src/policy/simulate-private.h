/* A simulation under way: what its event loop shows to the policies. Pure. */
#pragma once
#include "policy/load-history.h"
#include "policy/simulate.h"

typedef struct
{
  GArray *queue; /* of guint, requests in the order of arrival */
  guint head;    /* what stands before was taken */
  guint running;
  guint n_units;
  guint n_booting;
  guint n_ready;  /* take work; only while a decision is made */
  guint demand;   /* its index in the snapshot */
  bool is_active; /* in `active` */
  double boot_us; /* moving averages, as live; 0 = nothing measured yet */
  double run_us;
  guint n_runs;
  int64_t served_us;
  VendLoadHistory load;
} SimModel;

typedef struct
{
  bool in_use;
  bool booting;
  bool draining;
  bool stopping; /* holds its hardware until it has gone */
  guint model;
  guint busy;
  gint64 bound; /* a request that waits for the end of its boot; -1 = none */
  int64_t since_us;
  int64_t idle_since_us;
  int64_t began_us;
  int64_t busy_since_us;
} SimUnit;

typedef struct
{
  const VendTrace *trace;
  const VendSimulation *options;
  VendSimulated *result;
  int64_t now_us;
  guint next; /* request that has not come yet */
  SimModel *models;
  SimUnit *units; /* hardware_units of them */
  guint n_booting;
  guint n_waiting; /* in the queues of models */
  guint fifo_head; /* VEND_POLICY_FCFS_LRU: the next in the order of arrival */
  GArray *events;  /* a heap */
  guint64 n_events;
  double *waits;      /* seconds, by request */
  int64_t changed_us; /* something last came, was ready, ended or went, or was decided */
  int64_t plan_us;    /* the next moment of a plan; G_MAXINT64 = none */
  guint n_units;      /* in use */
  guint n_running;    /* requests */
  GArray *active;     /* models that somebody waits for or that have units, and maybe others */
} Sim;

/* ---- simulate.c */
/* Loads a model on a unit that is not in use. */
void vend_sim_start (Sim *sim, guint unit, guint model);
/* Its hardware is free at once. */
void vend_sim_stop (Sim *sim, guint unit);
/* Its hardware is free when the time of a stop has passed. */
void vend_sim_stop_slowly (Sim *sim, guint unit);
/* Begins a request on a unit with a free slot. */
void vend_sim_run (Sim *sim, guint unit, guint request);
/* Looks again at this time. */
void vend_sim_plan_at (Sim *sim, int64_t at_us);
const VendTraceRequest *vend_sim_request (const Sim *sim, guint request);
/* The queue of a model. */
guint vend_sim_waiting (const Sim *sim, guint model);
guint vend_sim_first (const Sim *sim, guint model);
guint vend_sim_take (Sim *sim, guint model);
/* Takes those off `active` that are nothing any more. */
void vend_sim_tidy (Sim *sim);
/* A unit that is not in use; -1 = none. */
gssize vend_sim_find_free (const Sim *sim);
bool vend_sim_may_boot (const Sim *sim);
/* A loaded one that begins a run at once, the fullest first; -1 = none. */
gssize vend_sim_find_slot (const Sim *sim, guint model);
/* Gives free slots to the queues of their models. */
void vend_sim_dispatch (Sim *sim);

/* ---- simulate-vend.c, simulate-others.c: what to do after each event */
void vend_sim_policy_vend (Sim *sim);
void vend_sim_policy_fcfs_lru (Sim *sim);
void vend_sim_policy_fixed_timeout (Sim *sim);
