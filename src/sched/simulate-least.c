/* What nobody can spare a request: the wait when loads cost almost nothing. Pure. */
#include "sched/simulate.h"

/* The server that is free first. */
static guint
find_first (const int64_t *free_us, guint n)
{
  guint first = 0;
  for (guint i = 1; i < n; i++)
    if (free_us[i] < free_us[first])
      first = i;
  return first;
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
      const VendTraceModel *model = &g_array_index (trace->models, VendTraceModel, request->model);
      const guint server = find_first (free_us, n);
      int64_t begin_us = MAX (free_us[server], request->at_us);
      if (loaded_us[request->model] < 0 || request->at_us - loaded_us[request->model] > bound_us)
        {
          loaded_us[request->model] = request->at_us;
          begin_us += model->load_us;
        }
      out_us[i] = begin_us - request->at_us;
      free_us[server] = begin_us + request->run_us;
    }
}
