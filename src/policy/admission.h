/* Whether a prediction can begin before its deadline. Pure: estimates from below only, so that
 * nothing is refused that could have begun. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* Of boots or runs of a target: the shortest lately. */
#define VEND_LEAST_KEPT 32
/* Fewer say nothing. */
#define VEND_LEAST_NEEDED 3

typedef struct
{
  int64_t us[VEND_LEAST_KEPT];
  guint n; /* noted so far */
} VendLeast;

void vend_least_note (VendLeast *least, int64_t us);
/* Half of the shortest, since the next one may be shorter; 0 when too few were noted. */
int64_t vend_least_us (const VendLeast *least);

typedef struct
{
  int64_t now_us;
  guint before;     /* that begin before it, whatever happens */
  guint slots;      /* that there can be, in all instances */
  bool has_ready;   /* an instance that takes work */
  int64_t boots_us; /* when the eldest that boots began to; 0 = none does */
  int64_t boot_us;  /* of vend_least_us */
  int64_t run_us;   /* of vend_least_us */
} VendOutlook;

/* It does not begin before this moment. */
int64_t vend_earliest_start_us (const VendOutlook *outlook);
