/* Metered time of an instance, split into setup, idle and active. */
#include "model/instance-usage.h"
#include "base/clock.h"

#define HOUR_US (3600 * VEND_US_PER_S)

void
vend_instance_usage_free (VendInstanceUsage *usage)
{
  if (usage == NULL)
    return;
  g_free (usage->instance);
  g_free (usage->deployment);
  g_free (usage->hardware);
  g_free (usage);
}

VendInstanceUsage *
vend_instance_usage_copy (const VendInstanceUsage *usage)
{
  VendInstanceUsage *copy = g_new0 (VendInstanceUsage, 1);
  *copy = *usage;
  copy->instance = g_strdup (usage->instance);
  copy->deployment = g_strdup (usage->deployment);
  copy->hardware = g_strdup (usage->hardware);
  return copy;
}

bool
vend_instance_usage_count (VendInstanceUsage *usage, VendPhase phase, int64_t until_us)
{
  const int64_t full_us = (usage->began_us / HOUR_US + 1) * HOUR_US;
  const int64_t end_us = MIN (until_us, full_us);
  if (end_us > usage->ended_us)
    {
      usage->phase_us[phase] += end_us - usage->ended_us;
      usage->ended_us = end_us;
    }
  return until_us <= full_us;
}

void
vend_instance_usage_next (VendInstanceUsage *usage)
{
  usage->began_us = usage->ended_us;
  for (guint i = 0; i < VEND_PHASE_N; i++)
    usage->phase_us[i] = 0;
}

/* The phases up to a moment: setup comes first, the rest is active in proportion, rounded down.
 * Each phase only grows with the moment, so differences are parts. */
static void
until (const VendInstanceUsage *usage, int64_t at_us, int64_t out_us[VEND_PHASE_N])
{
  const int64_t past_us = CLAMP (at_us, usage->began_us, usage->ended_us) - usage->began_us;
  const int64_t setup_us = usage->phase_us[VEND_PHASE_SETUP];
  const int64_t rest_us = usage->phase_us[VEND_PHASE_IDLE] + usage->phase_us[VEND_PHASE_ACTIVE];
  out_us[VEND_PHASE_SETUP] = MIN (past_us, setup_us);
  const int64_t after_us = past_us - out_us[VEND_PHASE_SETUP];
  out_us[VEND_PHASE_ACTIVE]
      = rest_us > 0 ? (int64_t) ((__int128) usage->phase_us[VEND_PHASE_ACTIVE] * after_us / rest_us)
                    : 0;
  out_us[VEND_PHASE_IDLE] = after_us - out_us[VEND_PHASE_ACTIVE];
}

void
vend_instance_usage_part (const VendInstanceUsage *usage, int64_t from_us, int64_t to_us,
                          int64_t out_us[VEND_PHASE_N])
{
  int64_t before_us[VEND_PHASE_N];
  until (usage, from_us, before_us);
  until (usage, MAX (from_us, to_us), out_us);
  for (guint i = 0; i < VEND_PHASE_N; i++)
    out_us[i] -= before_us[i];
}

static int
by_beginning (const void *a, const void *b)
{
  const VendSpan *x = a, *y = b;
  return x->from_us < y->from_us ? -1 : x->from_us > y->from_us;
}

void
vend_spans_join (GArray *spans)
{
  guint n = 0;
  g_array_sort (spans, by_beginning);
  for (guint i = 0; i < spans->len; i++)
    {
      const VendSpan span = g_array_index (spans, VendSpan, i);
      VendSpan *last = n > 0 ? &g_array_index (spans, VendSpan, n - 1) : NULL;
      if (span.to_us <= span.from_us)
        continue;
      if (last != NULL && span.from_us <= last->to_us)
        last->to_us = MAX (last->to_us, span.to_us);
      else
        g_array_index (spans, VendSpan, n++) = span;
    }
  g_array_set_size (spans, n);
}
