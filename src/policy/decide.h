/* The decision of the scheduler: snapshot + now → plan. Pure: no I/O, no clock, no randomness, no
 * state; the same code runs live, in tests and in simulations. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* Times of boots and runs before any are measured. */
#define VEND_ASSUMED_US G_GINT64_CONSTANT (10000000)

/* One target: what people wait for, and its settings. */
typedef struct
{
  const char *name; /* for the reasons */
  guint waiting;
  guint running;
  int64_t oldest_us; /* when the first in the queue came; 0 = empty */
  int64_t served_us; /* when an instance last took its work; 0 = never */
  guint slots;       /* of one instance */
  guint size;        /* hardware units of one instance; 0 = 1 */
  double target;     /* share of the slots that the load is to take; 0 = all of them */
  guint min;
  guint max;
  bool on_demand; /* idle instances stay until somebody else wants their hardware */
  int64_t idle_timeout_us;
  int64_t scale_down_delay_us;
  int64_t starvation_us;    /* who waits longer goes before what is loaded; 0 = nobody */
  int64_t panic_until_us;   /* of load-history.h */
  int64_t boot_us;          /* measured or assumed time of a boot */
  int64_t run_us;           /* and of a run */
  int64_t backoff_until_us; /* after boot failures */
} VendDemand;

typedef struct
{
  guint demand; /* index */
  bool booting;
  bool stopping;               /* holds its hardware until it has gone, and serves nobody */
  bool draining;               /* ends what it runs, and takes no more */
  bool degraded;               /* serves, but another one is to take its place */
  const char *degraded_reason; /* for the reason */
  guint busy;                  /* slots in use */
  int64_t since_us;            /* start of its boot, or the moment it became ready */
  int64_t idle_since_us;       /* 0 while busy */
  int64_t began_us;            /* its latest run; 0 = not known */
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
  VEND_ACTION_DRAIN, /* unit `index`, which is busy: it takes no more, and a later plan stops it */
} VendActionKind;

typedef struct
{
  VendActionKind kind;
  guint index;
  char *reason; /* a sentence a person understands */
  bool evicts;  /* a stop that makes room for another model */
} VendAction;

/* What to do now, in order. At one moment, the second plan after one that was
 * carried out is empty, and mostly the first is. Free with
 * g_ptr_array_unref; items are VendAction. */
GPtrArray *vend_decide (const VendSnapshot *snapshot) G_GNUC_WARN_UNUSED_RESULT;
