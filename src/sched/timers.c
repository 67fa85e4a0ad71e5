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

typedef struct
{
  GSource base;
  VendTimers *timers;
} TimersSource;

/* NULL: no timer. */
static VendTimer *
first_of (const VendTimers *timers)
{
  GSequenceIter *first = g_sequence_get_begin_iter (timers->by_time);
  return g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);
}

/* Not by g_source_set_ready_time, which wakes the running loop: a poll for each timer. */
static gboolean
prepare (GSource *source, gint *out_timeout_ms)
{
  const VendTimer *timer = first_of (((const TimersSource *) source)->timers);
  const int64_t left_us = timer != NULL ? timer->due_us - vend_steady_us () : 0;
  *out_timeout_ms = -1;
  if (timer != NULL)
    *out_timeout_ms = (gint) CLAMP ((left_us + VEND_US_PER_MS - 1) / VEND_US_PER_MS, 0, G_MAXINT);
  return timer != NULL && left_us <= 0;
}

static gboolean
check (GSource *source)
{
  const VendTimer *timer = first_of (((const TimersSource *) source)->timers);
  return timer != NULL && timer->due_us <= vend_steady_us ();
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, void *data)
{
  VendTimers *timers = ((TimersSource *) source)->timers;
  const int64_t now_us = vend_steady_us ();
  for (VendTimer *timer; (timer = first_of (timers)) != NULL && timer->due_us <= now_us;)
    {
      VendTimerCall call = timer->call;
      void *call_data = timer->data;
      g_sequence_remove (timer->place);
      call (call_data);
    }
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .prepare = prepare, .check = check, .dispatch = dispatch };

VendTimers *
vend_timers_new (GMainContext *context)
{
  VendTimers *timers = g_new0 (VendTimers, 1);
  timers->by_time = g_sequence_new (g_free);
  timers->source = g_source_new (&source_funcs, sizeof (TimersSource));
  ((TimersSource *) timers->source)->timers = timers;
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
