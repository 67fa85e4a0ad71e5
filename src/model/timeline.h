/* The timeline of a prediction, from its stored rows. Pure. */
#pragma once
#include <glib.h>

#include "json/json.h"
#include "model/prediction.h"
#include "model/usage.h"

/* Limit of each list; the timeline tells when a list is longer. */
#define VEND_TIMELINE_MAX 100

typedef struct
{
  const VendPrediction *prediction;
  const GPtrArray *attempts;   /* of VendAttempt: lost attempts */
  const GPtrArray *decisions;  /* of VendDecision: about it, and its target meanwhile */
  const GPtrArray *instance;   /* of VendDecision: about the instance that ran it */
  const GPtrArray *outputs;    /* of VendOutput */
  const GPtrArray *deliveries; /* of VendDelivery */
  const VendUsage *usage;      /* or NULL */
} VendTimeline;

/* A list of {"at", "what", "sentence", "details"} in the order of time. `at` is null for events
 * that still go on or whose time is not known to the second; these come last. */
json_t *vend_timeline_make (const VendTimeline *timeline) G_GNUC_WARN_UNUSED_RESULT;

/* "4.1 s", "230 ms", "3 min 20 s"; free with g_free. */
char *vend_timeline_time (int64_t time_us) G_GNUC_WARN_UNUSED_RESULT;
