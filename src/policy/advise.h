/* What other settings would have made of the requests that came: the scheduler's own decisions,
 * simulated. Pure: no threads, no clock, no I/O. */
#pragma once
#include "policy/simulate.h"

/* How one model or deployment is scaled. */
typedef struct
{
  guint min_instances;
  guint max_instances;
  bool on_demand; /* idle instances stay */
  int64_t idle_timeout_us;
} VendAdviseSetting;

typedef struct
{
  const VendTrace *trace; /* of one model */
  int64_t until_us;       /* the end of the time that it tells of */
  VendAdviseSetting now;
  guint room; /* instances that the hardware holds; 0 = as many as are tried */
  guint slots;
  guint boot_limit; /* 0 = none */
  double target;
  int64_t scale_down_delay_us;
  double wait_weight; /* a second of waiting counts as so many seconds of an instance */
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
  GArray *variants;   /* of VendAdviseVariant; the first is that of now */
  guint best;         /* index; 0: nothing else is clearly better */
  guint most_at_once; /* requests that would have run at a time if nobody had waited */
  double hours;       /* from the first request to the end of the time */
  double pause_s;     /* between two requests: the median */
  double run_s;       /* the mean */
  double load_s;
} VendAdvice;

/* NULL for a trace without requests. */
VendAdvice *vend_advise (const VendAdviseQuestion *question) G_GNUC_WARN_UNUSED_RESULT;
void vend_advice_free (VendAdvice *advice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendAdvice, vend_advice_free)

const VendAdviseVariant *vend_advice_at (const VendAdvice *advice, guint index);
