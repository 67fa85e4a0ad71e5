/* Traces, and simulations of short ones. The first byte: units, slots and whether models stay. */
#include "fuzz.h"
#include "base/clock.h"
#include "base/error.h"
#include "policy/simulate.h"
#include <math.h>
#include <string.h>

#define MAX_SIMULATED 24
#define HOUR_US (3600.0 * VEND_US_PER_S)

static const VendTraceRequest *
request_at (const VendTrace *trace, guint i)
{
  return &g_array_index (trace->requests, VendTraceRequest, i);
}

static void
check_order (const VendTrace *trace)
{
  g_assert_cmpuint (trace->requests->len, >, 0);
  for (guint i = 0; i < trace->requests->len; i++)
    {
      const VendTraceRequest *request = request_at (trace, i);
      g_assert_true (request->at_us >= 0 && request->run_us >= 0);
      g_assert_cmpuint (request->model, <, trace->models->len);
      g_assert_cmpint (vend_trace_load_us (trace, request->model, request->at_us), >=, 0);
      if (i > 0)
        g_assert_cmpint (request->at_us, >=, request_at (trace, i - 1)->at_us);
    }
  for (guint i = 0; i < trace->models->len; i++)
    fuzz_check_utf8 (g_array_index (trace->models, VendTraceModel, i).name);
}

/* Written and read again: the same requests of the same models. */
static void
check_round_trip (const VendTrace *trace)
{
  g_autoptr (VendTrace) again = NULL;
  g_autoptr (GString) text = g_string_new ("time_s,model,run_s\n");
  for (guint i = 0; i < trace->requests->len; i++)
    {
      const VendTraceRequest *request = request_at (trace, i);
      g_string_append_printf (text, "%.6f,%s,%.6f\n", (double) request->at_us / VEND_US_PER_S,
                              g_array_index (trace->models, VendTraceModel, request->model).name,
                              (double) request->run_us / VEND_US_PER_S);
    }
  g_assert_true (vend_trace_parse (text->str, text->len, &again, NULL));
  g_assert_cmpuint (again->requests->len, ==, trace->requests->len);
  for (guint i = 0; i < trace->requests->len; i++)
    {
      const VendTraceRequest *a = request_at (trace, i), *b = request_at (again, i);
      g_assert_cmpint (a->at_us, ==, b->at_us);
      g_assert_cmpint (a->run_us, ==, b->run_us);
      g_assert_cmpstr (g_array_index (trace->models, VendTraceModel, a->model).name, ==,
                       g_array_index (again->models, VendTraceModel, b->model).name);
    }
}

static void
check_simulation (const VendTrace *trace, VendPolicy policy, guint8 shape)
{
  g_autoptr (GArray) waits = g_array_new (FALSE, FALSE, sizeof (double));
  const VendSimulation options = {
    .policy = policy,
    .hardware_units = 1 + shape % 4,
    .slots = 1 + (shape >> 2) % 2,
    .target = 1,
    .on_demand = (shape & 8) != 0,
    .idle_timeout_us = 300 * VEND_US_PER_S,
    .scale_down_delay_us = 60 * VEND_US_PER_S,
    .starvation_us = 600 * VEND_US_PER_S,
    .stop_us = (shape & 16) != 0 ? VEND_US_PER_S : 0,
    .waits = waits,
  };
  VendSimulated result;
  double runs_us = 0;
  vend_simulate (trace, &options, &result);
  g_assert_cmpuint (result.requests, ==, trace->requests->len);
  g_assert_cmpuint (waits->len, ==, trace->requests->len);
  for (guint i = 0; i < waits->len; i++)
    {
      g_assert_true (g_array_index (waits, double, i) >= 0);
      g_assert_true (g_array_index (waits, double, i) <= result.wait_max_s);
      runs_us += (double) request_at (trace, i)->run_us;
    }
  g_assert_true (isfinite (result.wait_mean_s) && result.wait_p50_s <= result.wait_p99_s);
  g_assert_true (result.idle_hours >= 0 && result.loading_hours >= 0);
  g_assert_true (result.beyond <= result.late && result.late <= result.requests);
  if (options.slots == 1)
    g_assert_true (fabs (result.busy_hours * HOUR_US - runs_us) <= 1 + 1e-9 * runs_us);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  const guint8 shape = fuzz_take_byte (&input);
  g_autoptr (VendTrace) trace = NULL;
  g_autoptr (GError) error = NULL;
  const bool good = vend_trace_parse (input.data, input.size, &trace, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (trace == NULL && error->code == VEND_ERROR_INVALID);
      return 0;
    }
  check_order (trace);
  check_round_trip (trace);
  if (trace->requests->len <= MAX_SIMULATED)
    for (guint policy = 0; policy <= VEND_POLICY_FIXED_TIMEOUT; policy++)
      check_simulation (trace, (VendPolicy) policy, shape);
  return 0;
}
