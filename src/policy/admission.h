/* Whether a prediction can begin before its deadline. Pure: lower bounds only, so that no
 * prediction is refused that could have begun. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* The shortest of the latest boots or runs of a target. */
#define VEND_LEAST_KEPT 32
/* With fewer measurements there is no bound. */
#define VEND_LEAST_NEEDED 3

typedef struct
{
  int64_t us[VEND_LEAST_KEPT];
  guint n; /* noted so far */
} VendLeast;

void vend_least_note (VendLeast *least, int64_t us);
/* Half of the shortest, since the next may be shorter; 0 with too few measurements. */
int64_t vend_least_us (const VendLeast *least);

typedef struct
{
  int64_t now_us;
  guint before;     /* runs that begin earlier in any case */
  guint slots;      /* the most slots of all instances together */
  bool has_ready;   /* an instance takes work */
  int64_t boots_us; /* start of the eldest boot in flight; 0 = none */
  int64_t boot_us;  /* of vend_least_us */
  int64_t run_us;   /* of vend_least_us */
} VendOutlook;

/* The prediction cannot begin before this moment. */
int64_t vend_earliest_start_us (const VendOutlook *outlook);
