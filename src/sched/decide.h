/* The decision of the scheduler: snapshot + now → plan. Pure: no I/O, no clock, no randomness, no
 * state; the same code runs live and in tests. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* One deployable: what people wait for, and its settings. */
typedef struct
{
  const char *name; /* for the reasons */
  guint waiting;
  guint running;
  int64_t oldest_us; /* when the first in the queue came; 0 = empty */
  guint slots;       /* of one instance */
  guint min;
  guint max;
  int64_t idle_timeout_us;
  int64_t scale_down_delay_us;
  int64_t boot_us;          /* measured or assumed time of a boot */
  int64_t run_us;           /* and of a run */
  int64_t backoff_until_us; /* after boot failures */
} VendDemand;

typedef struct
{
  guint demand; /* index */
  bool booting;
  bool stopping;         /* holds its hardware until it has gone, and serves nobody */
  guint busy;            /* slots in use */
  int64_t since_us;      /* start of its boot, or the moment it became ready */
  int64_t idle_since_us; /* 0 while busy */
} VendUnit;

typedef struct
{
  int64_t now_us;
  guint hardware_units;
  guint boot_limit;
  const VendDemand *demands;
  guint n_demands;
  const VendUnit *units;
  guint n_units;
} VendSnapshot;

typedef enum
{
  VEND_ACTION_START, /* an instance of demand `index` */
  VEND_ACTION_STOP,  /* unit `index`, which is idle */
} VendActionKind;

typedef struct
{
  VendActionKind kind;
  guint index;
  char *reason; /* a sentence a person understands */
  bool evicts;  /* a stop that makes room for another model */
} VendAction;

/* What to do now, in order. Calling again with the plan applied gives an empty plan. Free with
 * g_ptr_array_unref; items are VendAction. */
GPtrArray *vend_decide (const VendSnapshot *snapshot) G_GNUC_WARN_UNUSED_RESULT;
