/* The timeline of a prediction, put together from what is stored about it. Pure. */
#pragma once
#include <glib.h>

#include "json/json.h"
#include "model/prediction.h"
#include "model/usage.h"

/* Of each list; what is left out of a longer one is said. */
#define VEND_TIMELINE_MAX 100

typedef struct
{
  const VendPrediction *prediction;
  const GPtrArray *attempts;   /* of VendAttempt: those that were lost */
  const GPtrArray *decisions;  /* of VendDecision: about it, and about its target meanwhile */
  const GPtrArray *instance;   /* of VendDecision: about the instance that ran it */
  const GPtrArray *outputs;    /* of VendOutput */
  const GPtrArray *deliveries; /* of VendDelivery */
  const VendUsage *usage;      /* or NULL */
} VendTimeline;

/* A list of {"at", "what", "sentence", "details"} in the order of time; `at` is null for what is
 * not known to the second or still goes on, and those come last. */
json_t *vend_timeline_make (const VendTimeline *timeline) G_GNUC_WARN_UNUSED_RESULT;

/* "4.1 s", "230 ms", "3 min 20 s"; free with g_free. */
char *vend_timeline_time (int64_t time_us) G_GNUC_WARN_UNUSED_RESULT;
