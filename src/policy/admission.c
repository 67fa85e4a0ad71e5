/* Whether a prediction can begin before its deadline. Pure. */
#include "policy/admission.h"

void
vend_least_note (VendLeast *least, int64_t us)
{
  least->us[least->n % VEND_LEAST_KEPT] = MAX (us, 1);
  least->n++;
}

int64_t
vend_least_us (const VendLeast *least)
{
  int64_t shortest = G_MAXINT64;
  if (least->n < VEND_LEAST_NEEDED)
    return 0;
  for (guint i = 0; i < MIN (least->n, VEND_LEAST_KEPT); i++)
    shortest = MIN (shortest, least->us[i]);
  return shortest / 2;
}

int64_t
vend_earliest_start_us (const VendOutlook *o)
{
  /* Runs in flight may end at once. */
  const int64_t rounds_us = o->before / MAX (o->slots, 1) * o->run_us;
  int64_t ready_us = o->now_us;
  if (!o->has_ready)
    ready_us = MAX ((o->boots_us > 0 ? o->boots_us : o->now_us) + o->boot_us, o->now_us);
  return ready_us + rounds_us;
}
