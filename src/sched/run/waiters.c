/* Waiters of a prediction. Core thread. */
#include "sched/run/waiters.h"
#include "base/error.h"
#include "sched/sched.h"
#include "sched/timers.h"

struct VendWaiters
{
  VendTimers *timers;
  VendWaitersView view;
  VendWaitersShow show;
  void *data;
  GPtrArray *list; /* of Waiter; NULL until the first waiter */
};

typedef struct
{
  VendWaiters *waiters;
  VendSchedNotify notify;
  void *data;
  VendTimer *timer; /* NULL: waits for the end */
  bool is_overdue;  /* its time is over, and the end is being stored */
} Waiter;

static void
waiter_free (void *data)
{
  Waiter *waiter = data;
  vend_timer_clear (&waiter->timer);
  g_free (waiter);
}

VendWaiters *
vend_waiters_new (VendTimers *timers, VendWaitersView view, VendWaitersShow show, void *data)
{
  VendWaiters *waiters = g_new0 (VendWaiters, 1);
  *waiters = (VendWaiters){ timers, view, show, data, NULL };
  return waiters;
}

void
vend_waiters_free (VendWaiters *waiters)
{
  if (waiters == NULL)
    return;
  g_clear_pointer (&waiters->list, g_ptr_array_unref);
  g_free (waiters);
}

static void time_is_over (void *data);

static void
wait_for_store (Waiter *waiter)
{
  waiter->is_overdue = true;
  waiter->timer = vend_timer_set (waiter->waiters->timers,
                                  vend_steady_us () + VEND_WAIT_FOR_STORE_US, time_is_over, waiter);
}

static void
notify_of_delay (const Waiter *waiter)
{
  g_autoptr (GError) error = NULL;
  vend_fail (&error, VEND_ERROR_BUSY,
             "the end of this prediction is not stored yet, as the disk refuses writes or is slow; "
             "try again in a moment");
  waiter->notify (NULL, error, waiter->data);
}

static void
time_is_over (void *data)
{
  Waiter *waiter = data;
  const VendWaiters *waiters = waiter->waiters;
  waiter->timer = NULL;
  const VendPrediction *state = waiters->view (waiters->data);
  if (state == NULL && !waiter->is_overdue)
    {
      wait_for_store (waiter);
      return;
    }
  const Waiter due = *waiter;
  g_ptr_array_remove_fast (waiters->list, waiter);
  if (state != NULL)
    waiters->show (waiters->data, state, due.notify, due.data);
  else
    notify_of_delay (&due);
}

static void
add (VendWaiters *waiters, int64_t until_us, VendSchedNotify notify, void *data)
{
  Waiter *waiter = g_new0 (Waiter, 1);
  *waiter = (Waiter){ waiters, notify, data, NULL, false };
  if (until_us == 0)
    wait_for_store (waiter);
  else if (until_us < VEND_WAIT_FOR_END)
    waiter->timer = vend_timer_set (waiters->timers, until_us, time_is_over, waiter);
  if (waiters->list == NULL)
    waiters->list = g_ptr_array_new_with_free_func (waiter_free);
  g_ptr_array_add (waiters->list, waiter);
}

void
vend_waiters_add (VendWaiters *waiters, int64_t until_us, VendSchedNotify notify, void *data)
{
  const VendPrediction *state = until_us == 0 ? waiters->view (waiters->data) : NULL;
  if (state != NULL)
    waiters->show (waiters->data, state, notify, data);
  else
    add (waiters, until_us, notify, data);
}

void
vend_waiters_notify (VendWaiters *waiters, const VendPrediction *state)
{
  g_autoptr (GPtrArray) list = g_steal_pointer (&waiters->list);
  for (guint i = 0; list != NULL && i < list->len; i++)
    {
      const Waiter *waiter = g_ptr_array_index (list, i);
      waiters->show (waiters->data, state, waiter->notify, waiter->data);
    }
}
