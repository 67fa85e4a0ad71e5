/* Simulation: a policy decides over a trace, with simulated hardware and clock, a day of traffic in
 * a second. Pure: no threads, no clock, no I/O. */
#pragma once
#include "policy/trace.h"

typedef enum
{
  VEND_POLICY_VEND,          /* vend_decide, as it runs live */
  VEND_POLICY_FCFS_LRU,      /* in the order of arrival; evicts the least recently used model */
  VEND_POLICY_FIXED_TIMEOUT, /* each model scales on its own; idle instances stop after a timeout */
} VendPolicy;

/* The number of units from one moment on. */
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
  bool on_demand;      /* on_demand and min_instances: for VEND_POLICY_VEND */
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
  guint evictions;   /* loaded models evicted for another model */
  guint late;        /* requests that waited longer than the bound */
  guint beyond;      /* requests that waited longer than the bound and their least wait together */
  guint most_units;  /* most units in use at a time */
  double wait_mean_s;
  double wait_p50_s;
  double wait_p90_s;
  double wait_p95_s;
  double wait_p99_s;
  double wait_max_s;
  double wait_over_least_max_s;   /* the longest wait beyond the least wait */
  double wait_percentiles_s[101]; /* the least wait that so many percent do not exceed */
  double hours;                   /* from the first request to the end of the last run */
  double busy_hours;
  double loading_hours;
  double idle_hours;
} VendSimulated;

const char *vend_policy_name (VendPolicy policy);
bool vend_policy_parse (const char *name, VendPolicy *out);

/* The least wait of each request: a loaded model counts as loaded on all servers for the time of
 * the bound, and all requests are served in the order of arrival. Any policy with a bound on waits
 * loads each model as often, so in a time of overload about this wait remains under every
 * policy. */
void vend_simulate_least_waits (const VendTrace *trace, guint servers, int64_t bound_us,
                                int64_t *out_us);

/* Runs the whole trace; serves every request. */
void vend_simulate (const VendTrace *trace, const VendSimulation *options, VendSimulated *out);
