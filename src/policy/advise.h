/* Advice on settings: the past requests under other settings, simulated with the scheduler's own
 * decisions. Pure: no threads, no clock, no I/O. */
#pragma once
#include "policy/simulate.h"

/* Scaling of one model or deployment. */
typedef struct
{
  guint min_instances;
  guint max_instances;
  bool on_demand; /* idle instances stay loaded */
  int64_t idle_timeout_us;
} VendAdviseSetting;

typedef struct
{
  const VendTrace *trace; /* of one model */
  int64_t until_us;       /* end of the time under advice */
  VendAdviseSetting now;
  guint room; /* instances that the hardware holds; 0 = no limit */
  guint slots;
  guint boot_limit; /* 0 = none */
  double target;
  int64_t scale_down_delay_us;
  double wait_weight; /* instance seconds that a second of waiting costs */
} VendAdviseQuestion;

typedef struct
{
  VendAdviseSetting setting;
  VendSimulated result;
  double instance_s; /* loading, busy and idle */
  double wait_s;     /* of all requests together */
  double score;      /* instance_s + wait_weight × wait_s */
} VendAdviseVariant;

typedef struct
{
  GArray *variants;   /* of VendAdviseVariant; the first has the current settings */
  guint best;         /* index; 0: no other variant is clearly better */
  guint most_at_once; /* requests in flight at a time if no request had waited */
  double hours;       /* from the first request to the end of the time */
  double pause_s;     /* median time between two requests */
  double run_s;       /* mean */
  double load_s;
} VendAdvice;

/* NULL for a trace without requests. */
VendAdvice *vend_advise (const VendAdviseQuestion *question) G_GNUC_WARN_UNUSED_RESULT;
void vend_advice_free (VendAdvice *advice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendAdvice, vend_advice_free)

const VendAdviseVariant *vend_advice_at (const VendAdvice *advice, guint index);
