/* Callers that wait for a prediction: creates with `Prefer: wait`, reads and cancels of one that
 * has not ended. Each is notified exactly once. Core thread.
 *
 * The rule of all replies: an end is told only after it is on disk. So while an end is being stored
 * nobody is notified of anything; everybody hears the end. Until then a caller is notified of the
 * state at its own time, at once when it does not wait at all. */
#pragma once
#include "model/prediction.h"
#include "sched/timers.h"
#include "sched/sched.h"

/* The prediction as callers may see it now, borrowed until the next change; NULL while its end is
 * being stored. */
typedef const VendPrediction *(*VendWaitersView) (void *data);

/* Calls `notify` once, at once or later: what is shown of `state` may have to be fetched. `data` is
 * that of the waiters. */
typedef void (*VendWaitersShow) (void *data, const VendPrediction *state, VendSchedNotify notify,
                                 void *notify_data);

typedef struct VendWaiters VendWaiters;

/* `timers` outlives it. */
VendWaiters *vend_waiters_new (VendTimers *timers, VendWaitersView view, VendWaitersShow show,
                               void *data);
/* Those who still wait are not notified. */
void vend_waiters_free (VendWaiters *waiters);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendWaiters, vend_waiters_free)

#define VEND_WAIT_FOR_END G_MAXINT64
/* `until_us` is by vend_steady_us; 0 does not wait. */
void vend_waiters_add (VendWaiters *waiters, int64_t until_us, VendSchedNotify notify, void *data);
/* Notifies all of this state, and forgets them. */
void vend_waiters_notify (VendWaiters *waiters, const VendPrediction *state);
