/* Waiters of a prediction: creates with `Prefer: wait`, reads and cancels before the end. Each
 * waiter is notified exactly once. Core thread.
 *
 * The rule of all replies: an end is told only after it is on disk. While an end is being stored
 * waiters wait for that, VEND_WAIT_FOR_STORE_US beyond their own time at most: a disk that refuses
 * writes may do so for long, and the error then is BUSY. Until the end a waiter is notified of the
 * current state at its own time, at once when that is 0. */
#pragma once
#include "base/clock.h"
#include "model/prediction.h"
#include "sched/timers.h"
#include "sched/sched.h"

/* The prediction as waiters may see it now, borrowed until the next change; NULL while its end is
 * being stored. */
typedef const VendPrediction *(*VendWaitersView) (void *data);

/* Calls `notify` once, at once or later: parts of `state` may have to be read first. `data` is the
 * data of the waiters. */
typedef void (*VendWaitersShow) (void *data, const VendPrediction *state, VendSchedNotify notify,
                                 void *notify_data);

typedef struct VendWaiters VendWaiters;

/* `timers` outlives it. */
VendWaiters *vend_waiters_new (VendTimers *timers, VendWaitersView view, VendWaitersShow show,
                               void *data);
/* Remaining waiters are not notified. */
void vend_waiters_free (VendWaiters *waiters);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendWaiters, vend_waiters_free)

#define VEND_WAIT_FOR_END G_MAXINT64
#define VEND_WAIT_FOR_STORE_US (2 * VEND_US_PER_S)
/* `until_us` is by vend_steady_us; 0 does not wait. */
void vend_waiters_add (VendWaiters *waiters, int64_t until_us, VendSchedNotify notify, void *data);
/* Notifies all waiters of this state, and removes them. */
void vend_waiters_notify (VendWaiters *waiters, const VendPrediction *state);
