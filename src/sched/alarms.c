/* Many deadlines on one timer. */
#include "sched/alarms.h"
#include "base/clock.h"

struct VendAlarm
{
  VendAlarms *alarms;
  GSequenceIter *place;
  int64_t due_us;
  VendAlarmCall call;
  void *data;
};

struct VendAlarms
{
  GSequence *by_time; /* of VendAlarm */
  GSource *source;
};

static int
compare (const void *a, const void *b, void *unused)
{
  const VendAlarm *x = a, *y = b;
  return x->due_us < y->due_us ? -1 : x->due_us > y->due_us;
}

static void
arm (VendAlarms *alarms)
{
  GSequenceIter *first = g_sequence_get_begin_iter (alarms->by_time);
  if (g_sequence_iter_is_end (first))
    {
      g_source_set_ready_time (alarms->source, -1);
      return;
    }
  const VendAlarm *alarm = g_sequence_get (first);
  int64_t left_us = MAX (alarm->due_us - vend_steady_us (), 0);
  g_source_set_ready_time (alarms->source, g_get_monotonic_time () + left_us);
}

static gboolean
ring_due (void *data)
{
  VendAlarms *alarms = data;
  int64_t now_us = vend_steady_us ();
  for (;;)
    {
      GSequenceIter *first = g_sequence_get_begin_iter (alarms->by_time);
      VendAlarm *alarm = g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);
      if (alarm == NULL || alarm->due_us > now_us)
        break;
      VendAlarmCall call = alarm->call;
      void *call_data = alarm->data;
      g_sequence_remove (first);
      call (call_data);
    }
  arm (alarms);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, void *data)
{
  return callback (data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

VendAlarms *
vend_alarms_new (GMainContext *context)
{
  VendAlarms *alarms = g_new0 (VendAlarms, 1);
  alarms->by_time = g_sequence_new (g_free);
  alarms->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_callback (alarms->source, ring_due, alarms, NULL);
  g_source_set_static_name (alarms->source, "alarms");
  g_source_attach (alarms->source, context);
  return alarms;
}

void
vend_alarms_free (VendAlarms *alarms)
{
  if (alarms == NULL)
    return;
  g_sequence_free (alarms->by_time);
  g_source_destroy (alarms->source);
  g_source_unref (alarms->source);
  g_free (alarms);
}

VendAlarm *
vend_alarm_set (VendAlarms *alarms, int64_t due_us, VendAlarmCall call, void *data)
{
  VendAlarm *alarm = g_new0 (VendAlarm, 1);
  *alarm = (VendAlarm){ alarms, NULL, due_us, call, data };
  alarm->place = g_sequence_insert_sorted (alarms->by_time, alarm, compare, NULL);
  if (g_sequence_iter_is_begin (alarm->place))
    arm (alarms);
  return alarm;
}

void
vend_alarm_clear (VendAlarm **alarm)
{
  if (*alarm == NULL)
    return;
  g_sequence_remove ((*alarm)->place);
  *alarm = NULL;
}
