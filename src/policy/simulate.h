/* A day of traffic in a second: a policy decides over a trace, on hardware and a clock that are
 * only numbers. Pure: no threads, no clock, no I/O. */
#pragma once
#include "policy/trace.h"

typedef enum
{
  VEND_POLICY_VEND,          /* vend_decide, as it runs live */
  VEND_POLICY_FCFS_LRU,      /* in the order of arrival; the model used least recently goes */
  VEND_POLICY_FIXED_TIMEOUT, /* models scale on their own; an instance stops when it is idle */
} VendPolicy;

/* How many units are there from one moment on. */
typedef struct
{
  int64_t at_us;
  guint units;
  guint booting; /* of them */
} VendSimCount;

typedef struct
{
  VendPolicy policy;
  guint hardware_units;
  guint boot_limit;    /* 0 = all units at once */
  guint max_instances; /* of a model; 0 = all units */
  guint slots;         /* of an instance; 0 = 1 */
  double target;
  bool on_demand;      /* these are for VEND_POLICY_VEND */
  guint min_instances; /* of every model; warm when the first request comes */
  int64_t until_us;    /* idle time counts up to here; 0 = to the end of the last run */
  int64_t scale_down_delay_us;
  int64_t starvation_us;
  int64_t idle_timeout_us;
  int64_t stop_us; /* from a stop until the hardware is free */
  GArray *counts;  /* gets a VendSimCount at each change; or NULL */
  GArray *waits;   /* gets a double for each request of the trace, seconds; or NULL */
} VendSimulation;

typedef struct
{
  guint requests;
  guint models;
  guint cold_starts; /* loads */
  guint evictions;   /* loaded models that went for another one */
  guint late;        /* requests that waited longer than the bound */
  guint beyond;      /* and longer than it and their least wait */
  guint most_units;  /* in use at a time */
  double wait_mean_s;
  double wait_p50_s;
  double wait_p90_s;
  double wait_p95_s;
  double wait_p99_s;
  double wait_max_s;
  double wait_over_least_max_s;   /* the longest wait after the least one was taken off */
  double wait_percentiles_s[101]; /* the least wait that so many percent do not exceed */
  double hours;                   /* from the first request to the end of the last */
  double busy_hours;
  double loading_hours;
  double idle_hours;
} VendSimulated;

const char *vend_policy_name (VendPolicy policy);
bool vend_policy_parse (const char *name, VendPolicy *out);

/* By request, how long it waits where a model that was loaded is loaded on all servers for the time
 * of the bound, and all are served in the order of arrival. With a bound on waits each model needs
 * a load as often, so in a time of overload about this much is left to wait whatever the policy. */
void vend_simulate_least_waits (const VendTrace *trace, guint servers, int64_t bound_us,
                                int64_t *out_us);

/* Runs the whole trace; every request of it is served. */
void vend_simulate (const VendTrace *trace, const VendSimulation *options, VendSimulated *out);
