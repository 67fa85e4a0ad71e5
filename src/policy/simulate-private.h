/* State of a simulation, shared by its event loop and the policies. Pure. */
#pragma once
#include "policy/load-history.h"
#include "policy/simulate.h"

typedef struct
{
  GArray *queue; /* of guint, requests in the order of arrival */
  guint head;    /* earlier requests were taken */
  guint running;
  guint n_units;
  guint n_booting;
  guint n_ready;  /* units that take work; only during a decision */
  guint demand;   /* index in the snapshot */
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
  bool stopping; /* holds its hardware until it is gone */
  guint model;
  guint busy;
  gint64 bound; /* a request bound to the end of this boot; -1 = none */
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
  guint next; /* the next request to arrive */
  SimModel *models;
  SimUnit *units; /* hardware_units of them */
  guint n_booting;
  guint n_waiting; /* in the queues of models */
  guint fifo_head; /* VEND_POLICY_FCFS_LRU: the next in the order of arrival */
  GArray *events;  /* a heap */
  guint64 n_events;
  double *waits;      /* seconds, by request */
  int64_t changed_us; /* time of the latest event other than a plan */
  int64_t plan_us;    /* time of the next plan; G_MAXINT64 = none */
  guint n_units;      /* in use */
  guint n_running;    /* requests */
  GArray *active;     /* models with a queue or with units; may hold others too */
} Sim;

/* ---- simulate.c */
/* Loads a model on a free unit. */
void vend_sim_start (Sim *sim, guint unit, guint model);
/* Frees the hardware at once. */
void vend_sim_stop (Sim *sim, guint unit);
/* Frees the hardware after the time of a stop. */
void vend_sim_stop_slowly (Sim *sim, guint unit);
/* Begins a request on a unit with a free slot. */
void vend_sim_run (Sim *sim, guint unit, guint request);
/* Plans again at this time. */
void vend_sim_plan_at (Sim *sim, int64_t at_us);
const VendTraceRequest *vend_sim_request (const Sim *sim, guint request);
/* The queue of a model. */
guint vend_sim_waiting (const Sim *sim, guint model);
guint vend_sim_first (const Sim *sim, guint model);
guint vend_sim_take (Sim *sim, guint model);
/* Removes models without queue and units from `active`. */
void vend_sim_tidy (Sim *sim);
/* A free unit; -1 = none. */
gssize vend_sim_find_free (const Sim *sim);
bool vend_sim_may_boot (const Sim *sim);
/* The fullest loaded unit with a free slot; -1 = none. */
gssize vend_sim_find_slot (const Sim *sim, guint model);
/* Fills free slots from the queues of their models. */
void vend_sim_dispatch (Sim *sim);

/* ---- simulate-vend.c, simulate-others.c: the policy's step after each event */
void vend_sim_policy_vend (Sim *sim);
void vend_sim_policy_fcfs_lru (Sim *sim);
void vend_sim_policy_fixed_timeout (Sim *sim);
