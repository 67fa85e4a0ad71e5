/* Advice on settings, by simulation of past requests. Pure. */
#include "policy/advise.h"
#include "base/clock.h"
#include <stdlib.h>

/* A smaller gain is no reason to change a setting. */
#define CLEARLY_BETTER 0.98
#define MOST_MIN 2

static const int64_t idle_timeouts_s[] = { 30, 60, 300, 900, 3600 };
static const guint maximums[] = { 1, 2, 4, 8, 16 };

void
vend_advice_free (VendAdvice *advice)
{
  if (advice == NULL)
    return;
  g_array_unref (advice->variants);
  g_free (advice);
}

const VendAdviseVariant *
vend_advice_at (const VendAdvice *advice, guint index)
{
  return &g_array_index (advice->variants, VendAdviseVariant, index);
}

static const VendTraceRequest *
request_at (const VendTrace *trace, guint i)
{
  return &g_array_index (trace->requests, VendTraceRequest, i);
}

/* ---- Variants */

/* With a minimum the last instance never stops, whatever the timeout. */
static bool
is_same (const VendAdviseSetting *a, const VendAdviseSetting *b)
{
  return a->min_instances == b->min_instances && a->max_instances == b->max_instances
         && a->on_demand == b->on_demand
         && (a->on_demand || a->min_instances > 0 || a->idle_timeout_us == b->idle_timeout_us);
}

static guint
room_of (const VendAdviseQuestion *question)
{
  return question->room > 0 ? question->room : G_MAXUINT;
}

static void
try_setting (const VendAdviseQuestion *question, VendAdvice *advice,
             const VendAdviseSetting *setting)
{
  for (guint i = 0; i < advice->variants->len; i++)
    if (is_same (&vend_advice_at (advice, i)->setting, setting))
      return;
  VendAdviseVariant variant = { .setting = *setting };
  const VendSimulation simulation = {
    .policy = VEND_POLICY_VEND,
    .hardware_units = MIN (setting->max_instances, room_of (question)),
    .max_instances = setting->max_instances,
    .min_instances = setting->min_instances,
    .boot_limit = question->boot_limit,
    .slots = question->slots,
    .target = question->target,
    .on_demand = setting->on_demand,
    .idle_timeout_us = setting->idle_timeout_us,
    .scale_down_delay_us = question->scale_down_delay_us,
    .until_us = question->until_us,
  };
  VendSimulated *result = &variant.result;
  vend_simulate (question->trace, &simulation, result);
  variant.instance_s = (result->busy_hours + result->loading_hours + result->idle_hours) * 3600;
  variant.wait_s = result->wait_mean_s * result->requests;
  variant.score = variant.instance_s + question->wait_weight * variant.wait_s;
  g_array_append_val (advice->variants, variant);
}

static guint
find_least (const VendAdvice *advice)
{
  guint least = 0;
  for (guint i = 1; i < advice->variants->len; i++)
    if (vend_advice_at (advice, i)->score < vend_advice_at (advice, least)->score)
      least = i;
  return least;
}

/* Tries other minimums and timeouts with this maximum. */
static void
try_minimums (const VendAdviseQuestion *question, VendAdvice *advice, guint max)
{
  VendAdviseSetting setting = { .max_instances = max };
  for (guint i = 0; i < G_N_ELEMENTS (idle_timeouts_s); i++)
    {
      setting.idle_timeout_us = idle_timeouts_s[i] * VEND_US_PER_S;
      try_setting (question, advice, &setting);
    }
  setting.idle_timeout_us = question->now.idle_timeout_us;
  for (guint i = 1; i <= MIN (MOST_MIN, MIN (max, room_of (question))); i++)
    {
      setting.min_instances = i;
      try_setting (question, advice, &setting);
    }
}

static void
try_maximums (const VendAdviseQuestion *question, VendAdvice *advice)
{
  VendAdviseSetting setting = vend_advice_at (advice, find_least (advice))->setting;
  for (guint i = 0; i < G_N_ELEMENTS (maximums); i++)
    {
      const guint max = MIN (maximums[i], room_of (question));
      if (max < setting.min_instances)
        continue;
      setting.max_instances = max;
      try_setting (question, advice, &setting);
      /* A higher maximum would never have been used, or does not fit. */
      if ((guint64) max * question->slots >= advice->most_at_once || max < maximums[i])
        return;
    }
}

/* Settings are tried one after the other, each with the best so far: all combinations would add
 * little. */
static void
try_all (const VendAdviseQuestion *question, VendAdvice *advice)
{
  VendAdviseSetting now = question->now;
  now.max_instances = MAX (now.max_instances, 1);
  now.min_instances = MIN (now.min_instances, now.max_instances);
  try_setting (question, advice, &now);
  try_minimums (question, advice, now.max_instances);
  try_maximums (question, advice);
  const guint max = vend_advice_at (advice, find_least (advice))->setting.max_instances;
  if (max != now.max_instances)
    try_minimums (question, advice, max);
  const guint least = find_least (advice);
  advice->best
      = vend_advice_at (advice, least)->score < vend_advice_at (advice, 0)->score * CLEARLY_BETTER
            ? least
            : 0;
}

/* ---- Statistics of the requests */

static int
by_value (const void *a, const void *b)
{
  const int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
  return x < y ? -1 : x > y;
}

static double
median_pause (const VendTrace *trace)
{
  const guint n = trace->requests->len - 1;
  g_autofree int64_t *pauses = g_new (int64_t, n + 1);
  for (guint i = 0; i < n; i++)
    pauses[i] = request_at (trace, i + 1)->at_us - request_at (trace, i)->at_us;
  qsort (pauses, n, sizeof *pauses, by_value);
  return n > 0 ? (double) pauses[n / 2] / VEND_US_PER_S : 0;
}

static double
mean_run (const VendTrace *trace)
{
  double sum = 0;
  for (guint i = 0; i < trace->requests->len; i++)
    sum += (double) request_at (trace, i)->run_us;
  return sum / trace->requests->len / VEND_US_PER_S;
}

/* Walks begins and ends by time; an end goes before a begin of the same moment. */
static guint
count_most_at_once (const VendTrace *trace)
{
  const guint n = trace->requests->len;
  g_autofree int64_t *ends = g_new (int64_t, n);
  guint ended = 0, most = 0;
  for (guint i = 0; i < n; i++)
    ends[i] = request_at (trace, i)->at_us + request_at (trace, i)->run_us;
  qsort (ends, n, sizeof *ends, by_value);
  for (guint i = 0; i < n; i++)
    {
      while (ended < n && ends[ended] <= request_at (trace, i)->at_us)
        ended++;
      /* A run of no time ends before its begin here. */
      most = MAX (most, i + 1 > ended ? i + 1 - ended : 1);
    }
  return most;
}

VendAdvice *
vend_advise (const VendAdviseQuestion *question)
{
  const VendTrace *trace = question->trace;
  if (trace->requests->len == 0)
    return NULL;
  VendAdvice *advice = g_new0 (VendAdvice, 1);
  advice->variants = g_array_new (FALSE, FALSE, sizeof (VendAdviseVariant));
  advice->most_at_once = count_most_at_once (trace);
  try_all (question, advice);
  advice->hours = (double) (MAX (question->until_us, vend_trace_end_us (trace))
                            - request_at (trace, 0)->at_us)
                  / VEND_US_PER_S / 3600;
  advice->pause_s = median_pause (trace);
  advice->run_s = mean_run (trace);
  advice->load_s
      = (double) g_array_index (trace->models, VendTraceModel, 0).load_us / VEND_US_PER_S;
  return advice;
}
