/* Backoff of boots: consecutive boots of one target that failed or were lost, the earliest next
 * boot, and when queued runs are given up. A failed boot is the model's fault: setup() or its model
 * server. A lost boot is the machine's: its director could not be started, died or fell silent, so
 * it counts for less. Pure: starts as all zero, and is reset to that by a ready instance. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_MAX_BOOT_FAILURES 3
#define VEND_MAX_BOOT_LOSSES 12

typedef struct
{
  guint failures;
  guint losses;     /* boots lost at the same time have one cause and count once */
  int64_t lost_us;  /* time of the latest loss */
  int64_t until_us; /* no boot begins before; 0: no backoff */
} VendBootBackoff;

/* True: queued runs are given up. */
bool vend_boot_backoff_failed (VendBootBackoff *backoff, int64_t now_us);
/* The same for a lost boot that began at `began_us`. */
bool vend_boot_backoff_lost (VendBootBackoff *backoff, int64_t began_us, int64_t now_us);
/* For people: failed and lost boots since the last ready instance. */
guint vend_boot_backoff_count (const VendBootBackoff *backoff);
