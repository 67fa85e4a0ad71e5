/* What is counted of each target: predictions, waits, boots and runs. Counting is a few atomic
 * additions on the core thread; writing them out happens on any other thread, beside it. */
#pragma once
#include <glib.h>

#include "base/histogram.h"
#include "model/status.h"

/* As `state` in the text. */
#define VEND_METER_N_STATES 5

typedef struct VendMeter VendMeter;

/* As they are at one moment. */
typedef struct
{
  guint queued;
  guint running;
  guint instances[VEND_METER_N_STATES];
} VendMeterGauges;

/* Of one model, or of one deployment of it. */
typedef struct
{
  char *labels;
  _Atomic uint64_t ended[VEND_STATUS_N];
  _Atomic uint64_t lost;
  _Atomic uint64_t boot_failures;
  _Atomic uint64_t fast_starts;
  VendHistogram wait;
  VendHistogram boot;
  VendHistogram run;
  VendMeterGauges next; /* being counted, by the core thread only */
  _Atomic guint queued;
  _Atomic guint running;
  _Atomic guint instances[VEND_METER_N_STATES];
} VendMeterSeries;

/* The first `limit` targets have a series each; all others share one, `model="other"`. */
VendMeter *vend_meter_new (guint limit);
void vend_meter_free (VendMeter *meter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendMeter, vend_meter_free)

/* Borrowed, for as long as the meter. `deployment` may be NULL. */
VendMeterSeries *vend_meter_series (VendMeter *meter, const char *model, const char *deployment);

/* Core thread: 0 in all, then each adds its own to `next` of its series, then all become visible.
 */
void vend_meter_begin_gauges (VendMeter *meter);
void vend_meter_end_gauges (VendMeter *meter);

/* All of it in the text format. Any thread. */
void vend_meter_write (VendMeter *meter, GString *text);
