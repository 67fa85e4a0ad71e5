/* A decision under way: what the files of decide.c share. Pure. */
#pragma once
#include "policy/decide.h"

typedef struct
{
  const VendSnapshot *snapshot;
  GPtrArray *plan;
  guint *have;      /* per demand: instances that serve or will serve, without degraded ones */
  guint *degraded;  /* per demand: needed ones that are to be replaced, and serve until then */
  guint *ready;     /* per demand: those of them that serve */
  bool *promised;   /* per demand: it gets hardware that is on its way out */
  bool *leaving;    /* per unit: stopped or drained by this plan */
  guint n_booting;  /* with the boots that wait for hardware on its way out */
  guint n_draining; /* and are still busy */
  guint held;       /* hardware units in use or promised */
  guint freeing;    /* of them, on their way out */
} Decision;

/* ---- decide.c */
/* It takes work, now or after its boot. */
bool vend_decision_serves (const Decision *d, guint unit);
/* Somebody uses it, or did not long ago. */
bool vend_decision_is_needed (const Decision *d, guint unit);
guint vend_demand_size (const VendDemand *demand);
/* Instances for its load, within its bounds. */
guint vend_demand_wanted (const VendDemand *demand);
/* Time that one instance needs for `runs` of it. */
double vend_demand_work_us (const VendDemand *demand, double runs);
/* So many instances need longer than `percent` of its bound for what waits. */
bool vend_demand_outlasts (const VendDemand *demand, guint instances, guint percent);
/* Its queue is one that never ends, for all that can be done about it: all instances that it may
 * have and that the hardware holds need longer than its bound. */
bool vend_decision_overflows (const Decision *d, guint demand);
void vend_decision_start (Decision *d, guint demand, const char *why);
void vend_decision_stop (Decision *d, guint unit, const char *reason);
void vend_decision_drain (Decision *d, guint unit, const char *reason);
/* The last action makes room for another model. */
void vend_decision_evicts (Decision *d);

/* ---- decide-shrink.c: instances that nothing needs any more */
void vend_decide_shrink (Decision *d);
/* Those that are to be replaced; after the growth, which starts the others. */
void vend_decide_replace (Decision *d);

/* ---- decide-grow.c: who gets the next instance */
void vend_decide_grow (Decision *d);

/* ---- decide-evict.c: whose hardware another model gets */
/* Hardware of idle instances that may go. */
guint vend_decide_evictable (const Decision *d, guint for_demand);
/* Makes an idle instance go; false when there is none that may. */
bool vend_decide_evict (Decision *d, guint for_demand);
/* Lets a busy one take no more, for a demand that starves. */
bool vend_decide_drain (Decision *d, guint for_demand);
