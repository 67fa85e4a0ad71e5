/* The decision of the scheduler: snapshot + now → plan. Pure: no I/O, no clock, no randomness, no
 * state; the same code runs live, in tests and in simulations. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* Times of boots and runs before any are measured. */
#define VEND_ASSUMED_US G_GINT64_CONSTANT (10000000)

/* One target: its load and its settings. */
typedef struct
{
  const char *name; /* for the reasons */
  guint waiting;
  guint running;
  int64_t oldest_us; /* arrival of the first in the queue; 0 = empty */
  int64_t served_us; /* when an instance last took its work; 0 = never */
  guint slots;       /* of one instance */
  guint size;        /* hardware units of one instance; 0 = 1 */
  double target;     /* share of the slots that the load may use; 0 = all slots */
  guint min;
  guint max;
  bool yields;    /* its minimum waits: an earlier release has a queue and no instance */
  bool on_demand; /* idle instances stay until other models need their hardware */
  int64_t idle_timeout_us;
  int64_t scale_down_delay_us;
  int64_t starvation_us;    /* a longer wait goes before loaded models; 0 = no bound */
  int64_t panic_until_us;   /* of load-history.h */
  int64_t boot_us;          /* measured or assumed time of a boot */
  int64_t run_us;           /* and time of a run */
  int64_t backoff_until_us; /* after boot failures */
} VendDemand;

typedef struct
{
  guint demand; /* index */
  bool booting;
  bool stopping;               /* holds its hardware until it is gone, and takes no work */
  bool draining;               /* finishes its runs, and takes no more */
  bool degraded;               /* serves, and is to be replaced */
  const char *degraded_reason; /* for the reason */
  guint busy;                  /* slots in use */
  int64_t since_us;            /* start of its boot, or the moment it became ready */
  int64_t idle_since_us;       /* 0 while busy */
  int64_t began_us;            /* start of the latest run; 0 = not known */
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
  VEND_ACTION_DRAIN, /* unit `index`, which is busy: takes no more; a later plan stops it */
} VendActionKind;

typedef struct
{
  VendActionKind kind;
  guint index;
  char *reason; /* a sentence for people */
  bool evicts;  /* a stop that makes room for another model */
} VendAction;

/* The actions to take now, in order. At one moment, the second plan after a carried out plan is
 * empty, and mostly the first is too. Free with g_ptr_array_unref; items are VendAction. */
GPtrArray *vend_decide (const VendSnapshot *snapshot) G_GNUC_WARN_UNUSED_RESULT;
