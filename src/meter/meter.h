/* Metrics of each target: predictions, waits, boots and runs. Counting is a few atomic additions on
 * the core thread; any other thread may write the text meanwhile. */
#pragma once
#include <glib.h>

#include "base/histogram.h"
#include "model/status.h"

/* Values of `state` in the text. */
#define VEND_METER_N_STATES 5

typedef struct VendMeter VendMeter;

/* Values of one moment. */
typedef struct
{
  guint queued;
  guint running;
  guint instances[VEND_METER_N_STATES];
} VendMeterGauges;

/* Metrics of one model, or of one of its deployments. */
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
  VendMeterGauges next; /* being counted; core thread only */
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

/* Core thread: begin sets all gauges to 0, then each target adds to `next` of its series, then end
 * makes all visible. */
void vend_meter_begin_gauges (VendMeter *meter);
void vend_meter_end_gauges (VendMeter *meter);

/* All metrics in the text format. Any thread. */
void vend_meter_write (VendMeter *meter, GString *text);
