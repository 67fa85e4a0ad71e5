/* Boots that failed or were lost. Pure. */
#include "policy/boot-trouble.h"
#include "base/clock.h"

#define FIRST_AFTER_FAILURE_US (10 * VEND_US_PER_S)
/* What took a director away is mostly over soon. */
#define FIRST_AFTER_LOSS_US (1 * VEND_US_PER_S)
#define LONGEST_US (15 * 60 * VEND_US_PER_S)
#define MAX_DOUBLINGS 20

/* The first one is tried again at once. */
static void
back_off (VendBootTrouble *trouble, guint n, int64_t first_us, int64_t now_us)
{
  if (n < 2)
    return;
  const int64_t wait_us = MIN (first_us << MIN (n - 2, MAX_DOUBLINGS), LONGEST_US);
  trouble->until_us = MAX (trouble->until_us, now_us + wait_us);
}

bool
vend_boot_failed (VendBootTrouble *trouble, int64_t now_us)
{
  trouble->failures++;
  back_off (trouble, trouble->failures, FIRST_AFTER_FAILURE_US, now_us);
  return trouble->failures >= VEND_MAX_BOOT_FAILURES;
}

bool
vend_boot_lost (VendBootTrouble *trouble, int64_t began_us, int64_t now_us)
{
  if (trouble->losses == 0 || began_us > trouble->lost_us)
    {
      trouble->losses++;
      trouble->lost_us = now_us;
      back_off (trouble, trouble->losses, FIRST_AFTER_LOSS_US, now_us);
    }
  return trouble->losses >= VEND_MAX_BOOT_LOSSES;
}

guint
vend_boot_trouble_count (const VendBootTrouble *trouble)
{
  return trouble->failures + trouble->losses;
}
