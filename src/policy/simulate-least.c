/* Least waits: a lower bound for every policy, when loads cost almost nothing. Pure. */
#include "policy/simulate.h"

/* A heap of the times at which servers become free: its first is replaced by a later time. */
static void
replace_first (int64_t *free_us, guint n, int64_t at_us)
{
  guint i = 0;
  for (guint child = 1; child < n; child = 2 * i + 1)
    {
      if (child + 1 < n && free_us[child + 1] < free_us[child])
        child++;
      if (free_us[child] >= at_us)
        break;
      free_us[i] = free_us[child];
      i = child;
    }
  free_us[i] = at_us;
}

void
vend_simulate_least_waits (const VendTrace *trace, guint servers, int64_t bound_us, int64_t *out_us)
{
  const guint n = MAX (servers, 1);
  g_autofree int64_t *free_us = g_new0 (int64_t, n);
  g_autofree int64_t *loaded_us = g_new (int64_t, trace->models->len + 1);
  for (guint i = 0; i < trace->models->len; i++)
    loaded_us[i] = -1;
  for (guint i = 0; i < trace->requests->len; i++)
    {
      const VendTraceRequest *request = &g_array_index (trace->requests, VendTraceRequest, i);
      int64_t begin_us = MAX (free_us[0], request->at_us);
      if (loaded_us[request->model] < 0 || request->at_us - loaded_us[request->model] > bound_us)
        {
          loaded_us[request->model] = request->at_us;
          begin_us += vend_trace_load_us (trace, request->model, begin_us);
        }
      out_us[i] = begin_us - request->at_us;
      replace_first (free_us, n, begin_us + request->run_us);
    }
}
