/* Scaling of the instances of a model or deployment: settings of the owner, over settings of the
 * server. Plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

/* Value of a member that follows the server. */
#define VEND_SCALING_UNSET G_GINT64_CONSTANT (-1)
/* Value in a change: the member follows the server again. */
#define VEND_SCALING_RESET G_GINT64_CONSTANT (-2)
#define VEND_SCALING_MAX_CONCURRENCY 256

typedef struct
{
  int64_t min_instances;
  int64_t max_instances;
  int64_t idle_timeout_us;
  int64_t scale_down_delay_us;
  int64_t on_demand;   /* 0 or 1: idle instances stay until other models need their hardware */
  int64_t concurrency; /* slots of an instance; bounded by the version's own number */
  int64_t target;      /* target utilization of the slots in percent */
  int64_t fast_start;  /* 0 or 1 */
  int64_t snapshot;    /* 0 or 1: fast starts may be forks after setup() */
  int64_t retry_safe;  /* 0 or 1: a lost run without output may run again */
  int64_t network;     /* a VendNetworkKind */
} VendScaling;

#define VEND_SCALING_NONE \
  { VEND_SCALING_UNSET, VEND_SCALING_UNSET, VEND_SCALING_UNSET, VEND_SCALING_UNSET, \
    VEND_SCALING_UNSET, VEND_SCALING_UNSET, VEND_SCALING_UNSET, VEND_SCALING_UNSET, \
    VEND_SCALING_UNSET, VEND_SCALING_UNSET, VEND_SCALING_UNSET }

typedef enum
{
  VEND_SCALING_COUNT,
  VEND_SCALING_SECONDS, /* a number in JSON, microseconds here */
  VEND_SCALING_SWITCH,
  VEND_SCALING_CHOICE, /* a word in JSON, its number here */
} VendScalingType;

typedef struct
{
  const char *name; /* "idle_timeout" */
  VendScalingType type;
  int64_t least;
  int64_t greatest;
  const char *help;
  const char *const *words; /* of a choice; ends with NULL */
} VendScalingInfo;

/* The table of members. */
const VendScalingInfo *vend_scaling_infos (gsize *out_count);

/* Reads the settings in `body` into `change`: null is a reset, missing members are unset, other
 * members are ignored. Without `with_bounds` minimum and maximum are ignored too. Problems are
 * appended to `problems` as by vend_problem_add. */
void vend_scaling_read (const json_t *body, bool with_bounds, VendScaling *change,
                        json_t *problems);
/* Whether the change changed any member. */
bool vend_scaling_apply (VendScaling *scaling, const VendScaling *change);
/* Appends a problem when the bounds contradict each other. */
void vend_scaling_check (const VendScaling *scaling, json_t *problems);

/* `own`, with unset members from `defaults`. */
VendScaling vend_scaling_over (const VendScaling *own, const VendScaling *defaults);
/* Sets what a deployment leaves to its model: the network. */
void vend_scaling_leave_to_model (VendScaling *own, const VendScaling *model);
/* The effective scaling for instances of a version: like vend_scaling_over, with the concurrency
 * that its `launch` record allows (1 when `launch` is NULL), and a maximum not below the
 * minimum. */
VendScaling vend_scaling_hold (const VendScaling *own, const VendScaling *defaults,
                               const json_t *launch);
bool vend_scaling_is_unset (const VendScaling *scaling);
/* Whether one instance can serve both. */
bool vend_scaling_runs_like (const VendScaling *a, const VendScaling *b);

/* Sets the members of `object`; unset members are left out, or null with `with_unset`. */
void vend_scaling_set (json_t *object, const VendScaling *scaling, bool with_unset);
json_t *vend_scaling_to_json (const VendScaling *scaling, bool with_unset);
