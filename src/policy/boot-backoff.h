/* How boots of one target went wrong in a row, and what follows: when the next one may begin,
 * and when those who wait are given up. A boot that failed is the model's doing: setup() or its
 * model server. One that was lost is the machine's: its director could not be started, died or fell
 * silent, so it counts for less. Pure: all zero is the start of it, and again once one is ready. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_MAX_BOOT_FAILURES 3
#define VEND_MAX_BOOT_LOSSES 12

typedef struct
{
  guint failures;
  guint losses;     /* boots that were under way at the same time are lost by the same cause: one */
  int64_t lost_us;  /* when the last one was */
  int64_t until_us; /* no boot begins before; 0: at once */
} VendBootBackoff;

/* True: those who wait are given up. */
bool vend_boot_backoff_failed (VendBootBackoff *backoff, int64_t now_us);
/* The same of a boot that began at `began_us`. */
bool vend_boot_backoff_lost (VendBootBackoff *backoff, int64_t began_us, int64_t now_us);
/* For people: boots that came to nothing since the last one that was ready. */
guint vend_boot_backoff_count (const VendBootBackoff *backoff);
