/* Many timers on one source. */
#include "sched/timers.h"
#include "base/clock.h"

struct VendTimer
{
  VendTimers *timers;
  GSequenceIter *place;
  int64_t due_us;
  VendTimerCall call;
  void *data;
};

struct VendTimers
{
  GSequence *by_time; /* of VendTimer */
  GSource *source;
};

static int
compare (const void *a, const void *b, void *unused)
{
  const VendTimer *x = a, *y = b;
  return x->due_us < y->due_us ? -1 : x->due_us > y->due_us;
}

static void
arm (VendTimers *timers)
{
  GSequenceIter *first = g_sequence_get_begin_iter (timers->by_time);
  if (g_sequence_iter_is_end (first))
    {
      g_source_set_ready_time (timers->source, -1);
      return;
    }
  const VendTimer *timer = g_sequence_get (first);
  int64_t left_us = MAX (timer->due_us - vend_steady_us (), 0);
  g_source_set_ready_time (timers->source, g_get_monotonic_time () + left_us);
}

static gboolean
ring_due (void *data)
{
  VendTimers *timers = data;
  int64_t now_us = vend_steady_us ();
  for (;;)
    {
      GSequenceIter *first = g_sequence_get_begin_iter (timers->by_time);
      VendTimer *timer = g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);
      if (timer == NULL || timer->due_us > now_us)
        break;
      VendTimerCall call = timer->call;
      void *call_data = timer->data;
      g_sequence_remove (first);
      call (call_data);
    }
  arm (timers);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, void *data)
{
  return callback (data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

VendTimers *
vend_timers_new (GMainContext *context)
{
  VendTimers *timers = g_new0 (VendTimers, 1);
  timers->by_time = g_sequence_new (g_free);
  timers->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_callback (timers->source, ring_due, timers, NULL);
  g_source_set_static_name (timers->source, "timers");
  g_source_attach (timers->source, context);
  return timers;
}

void
vend_timers_free (VendTimers *timers)
{
  if (timers == NULL)
    return;
  g_sequence_free (timers->by_time);
  g_source_destroy (timers->source);
  g_source_unref (timers->source);
  g_free (timers);
}

VendTimer *
vend_timer_set (VendTimers *timers, int64_t due_us, VendTimerCall call, void *data)
{
  VendTimer *timer = g_new0 (VendTimer, 1);
  *timer = (VendTimer){ timers, NULL, due_us, call, data };
  timer->place = g_sequence_insert_sorted (timers->by_time, timer, compare, NULL);
  if (g_sequence_iter_is_begin (timer->place))
    arm (timers);
  return timer;
}

void
vend_timer_clear (VendTimer **timer)
{
  if (*timer == NULL)
    return;
  g_sequence_remove ((*timer)->place);
  *timer = NULL;
}
