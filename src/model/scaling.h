/* How instances of a model or of a deployment come and go: what its owner set, over what the server
 * says. Plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

/* Of a member: follows the server. */
#define VEND_SCALING_UNSET G_GINT64_CONSTANT (-1)
/* Of a member of a change: it is to follow the server again. */
#define VEND_SCALING_RESET G_GINT64_CONSTANT (-2)
#define VEND_SCALING_MAX_CONCURRENCY 256

typedef struct
{
  int64_t min_instances;
  int64_t max_instances;
  int64_t idle_timeout_us;
  int64_t scale_down_delay_us;
  int64_t on_demand;   /* 0 or 1: idle instances stay until somebody wants their hardware */
  int64_t concurrency; /* slots of an instance; a version's own number bounds it */
  int64_t target;      /* target utilization of the slots in percent */
  int64_t fast_start;  /* 0 or 1 */
  int64_t retry_safe;  /* 0 or 1: a lost run that returned nothing may run again */
} VendScaling;

#define VEND_SCALING_NONE \
  { VEND_SCALING_UNSET, VEND_SCALING_UNSET, VEND_SCALING_UNSET, \
    VEND_SCALING_UNSET, VEND_SCALING_UNSET, VEND_SCALING_UNSET, \
    VEND_SCALING_UNSET, VEND_SCALING_UNSET, VEND_SCALING_UNSET }

typedef enum
{
  VEND_SCALING_COUNT,
  VEND_SCALING_SECONDS, /* a number in JSON, microseconds here */
  VEND_SCALING_SWITCH,
} VendScalingType;

typedef struct
{
  const char *name; /* "idle_timeout" */
  VendScalingType type;
  int64_t least;
  int64_t greatest;
  const char *help;
} VendScalingInfo;

/* The table of members. */
const VendScalingInfo *vend_scaling_infos (gsize *out_count);

/* Reads the members of `body` that are settings into `change`; null is a reset, what is not
 * mentioned is unset, other members are not looked at. Without `with_bounds` minimum and maximum
 * are not either. What is wrong is appended to `problems` as by vend_problem_add. */
void vend_scaling_read (const json_t *body, bool with_bounds, VendScaling *change,
                        json_t *problems);
/* Whether that changed anything. */
bool vend_scaling_apply (VendScaling *scaling, const VendScaling *change);
/* That the bounds go together, as one more problem when they do not. */
void vend_scaling_check (const VendScaling *scaling, json_t *problems);

/* What is unset in `own` as in `defaults`. */
VendScaling vend_scaling_over (const VendScaling *own, const VendScaling *defaults);
/* The same as instances of a version are run by: with the predictions at a time that its `launch`
 * record allows (1 when `launch` is NULL), and a maximum that the minimum fits into. */
VendScaling vend_scaling_hold (const VendScaling *own, const VendScaling *defaults,
                               const json_t *launch);
bool vend_scaling_is_unset (const VendScaling *scaling);
/* Whether one instance can serve both. */
bool vend_scaling_runs_like (const VendScaling *a, const VendScaling *b);

/* Sets the members of `object`; those that are unset are left out, or null with `with_unset`. */
void vend_scaling_set (json_t *object, const VendScaling *scaling, bool with_unset);
json_t *vend_scaling_to_json (const VendScaling *scaling, bool with_unset);
