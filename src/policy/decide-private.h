/* State of a decision, shared by the files of decide.c. Pure. */
#pragma once
#include "policy/decide.h"

typedef struct
{
  const VendSnapshot *snapshot;
  GPtrArray *plan;
  guint *have;      /* per demand: instances that serve or boot, without degraded ones */
  guint *degraded;  /* per demand: degraded instances that serve until they are replaced */
  guint *ready;     /* per demand: instances of `have` that are ready */
  bool *promised;   /* per demand: gets hardware that is being freed */
  bool *leaving;    /* per unit: stopped or drained by this plan */
  guint n_booting;  /* with boots that wait for hardware being freed */
  guint n_draining; /* busy instances that drain */
  guint held;       /* hardware units in use or promised */
  guint freeing;    /* the part of `held` that is being freed */
} Decision;

/* ---- decide.c */
/* The unit takes work, now or after its boot. */
bool vend_decision_serves (const Decision *d, guint unit);
/* The unit's target has load or a minimum, or was used within its idle timeout. */
bool vend_decision_is_needed (const Decision *d, guint unit);
guint vend_demand_size (const VendDemand *demand);
/* Instances that no other demand may take. */
guint vend_demand_kept (const VendDemand *demand);
/* The number of instances for the load, within the bounds. */
guint vend_demand_wanted (const VendDemand *demand);
/* The time of one instance for `runs` runs. */
double vend_demand_work_us (const VendDemand *demand, double runs);
/* Whether so many instances need longer than `percent` of the bound for the queue. */
bool vend_demand_outlasts (const VendDemand *demand, guint instances, guint percent);
/* Whether the queue never ends: all instances within the maximum and the hardware need longer than
 * the bound. */
bool vend_decision_overflows (const Decision *d, guint demand);
void vend_decision_start (Decision *d, guint demand, const char *why);
void vend_decision_stop (Decision *d, guint unit, const char *reason);
void vend_decision_drain (Decision *d, guint unit, const char *reason);
/* The last action makes room for another model. */
void vend_decision_evicts (Decision *d);

/* ---- decide-shrink.c: instances that are not needed any more */
void vend_decide_shrink (Decision *d);
/* Replaces degraded instances; after the growth, which starts the replacements. */
void vend_decide_replace (Decision *d);

/* ---- decide-grow.c: which target gets the next instance */
void vend_decide_grow (Decision *d);

/* ---- decide-evict.c: hardware taken from other models */
/* Hardware units of idle instances that may be evicted. */
guint vend_decide_evictable (const Decision *d, guint for_demand);
/* Evicts an idle instance; false when none may be evicted. */
bool vend_decide_evict (Decision *d, guint for_demand);
/* Drains a busy instance, for a demand that starves. */
bool vend_decide_drain (Decision *d, guint for_demand);
