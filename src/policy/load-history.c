/* Measurements of a target. Pure. */
#include "policy/load-history.h"
#include "base/clock.h"

#define WINDOW_US (VEND_LOAD_SECONDS * VEND_US_PER_S)
#define PANIC_RATIO 2
/* Weights of the newest measurement in the averages. Runs vary more, and are many. */
#define BOOT_WEIGHT 0.3
#define RUN_WEIGHT 0.1

static void
measure (double *average, int64_t value_us, double weight)
{
  if (value_us <= 0)
    return;
  *average
      = *average == 0 ? (double) value_us : *average * (1 - weight) + (double) value_us * weight;
}

void
vend_measure_boot (double *average_us, int64_t us)
{
  measure (average_us, us, BOOT_WEIGHT);
}

void
vend_measure_run (double *average_us, guint n, int64_t us)
{
  measure (average_us, us, MAX (RUN_WEIGHT, 1.0 / MAX (n, 1)));
}

static void
pass (VendLoadHistory *h, int64_t now_us)
{
  int64_t at_us = MAX (h->noted_us, now_us - now_us % VEND_US_PER_S - WINDOW_US + VEND_US_PER_S);
  while (at_us < now_us)
    {
      int64_t second = at_us / VEND_US_PER_S;
      int64_t until_us = MIN ((second + 1) * VEND_US_PER_S, now_us);
      if (at_us % VEND_US_PER_S == 0)
        h->load[second % VEND_LOAD_SECONDS] = h->capacity[second % VEND_LOAD_SECONDS] = 0;
      h->load[second % VEND_LOAD_SECONDS] += (double) h->last_load * (double) (until_us - at_us);
      h->capacity[second % VEND_LOAD_SECONDS]
          += (double) h->last_capacity * (double) (until_us - at_us);
      at_us = until_us;
    }
}

void
vend_load_note (VendLoadHistory *h, int64_t now_us, guint load, guint capacity)
{
  double sum = 0, room = 0;
  /* A clock that was set back starts a new history. */
  if (h->began_us == 0 || now_us < h->noted_us)
    *h = (VendLoadHistory){ .began_us = now_us, .panic_until_us = 0 };
  else
    pass (h, now_us);
  h->noted_us = now_us;
  h->last_load = load;
  h->last_capacity = capacity;
  for (guint i = 0; i < VEND_LOAD_SECONDS; i++)
    {
      sum += h->load[i];
      room += h->capacity[i];
    }
  if (now_us - h->began_us >= WINDOW_US && sum > 0 && sum >= PANIC_RATIO * room)
    h->panic_until_us = now_us + VEND_PANIC_US;
}
