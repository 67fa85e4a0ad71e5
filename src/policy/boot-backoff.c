/* Backoff of failed and lost boots. Pure. */
#include "policy/boot-backoff.h"
#include "base/clock.h"

#define FIRST_AFTER_FAILURE_US (10 * VEND_US_PER_S)
/* Causes of lost directors are mostly over soon. */
#define FIRST_AFTER_LOSS_US (1 * VEND_US_PER_S)
#define LONGEST_US (15 * 60 * VEND_US_PER_S)
#define MAX_DOUBLINGS 20

/* The first retry is immediate. */
static void
back_off (VendBootBackoff *backoff, guint n, int64_t first_us, int64_t now_us)
{
  if (n < 2)
    return;
  const int64_t wait_us = MIN (first_us << MIN (n - 2, MAX_DOUBLINGS), LONGEST_US);
  backoff->until_us = MAX (backoff->until_us, now_us + wait_us);
}

bool
vend_boot_backoff_failed (VendBootBackoff *backoff, int64_t now_us)
{
  backoff->failures++;
  back_off (backoff, backoff->failures, FIRST_AFTER_FAILURE_US, now_us);
  return backoff->failures >= VEND_MAX_BOOT_FAILURES;
}

bool
vend_boot_backoff_lost (VendBootBackoff *backoff, int64_t began_us, int64_t now_us)
{
  if (backoff->losses == 0 || began_us > backoff->lost_us)
    {
      backoff->losses++;
      backoff->lost_us = now_us;
      back_off (backoff, backoff->losses, FIRST_AFTER_LOSS_US, now_us);
    }
  return backoff->losses >= VEND_MAX_BOOT_LOSSES;
}

guint
vend_boot_backoff_count (const VendBootBackoff *backoff)
{
  return backoff->failures + backoff->losses;
}
