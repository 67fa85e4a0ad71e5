/* Many deadlines on one timer: GLib walks all its sources every turn, so thousands of held requests
 * must not be thousands of sources. Core thread. */
#pragma once
#include <stdint.h>
#include <glib.h>

typedef struct VendAlarms VendAlarms;
typedef struct VendAlarm VendAlarm;
typedef void (*VendAlarmCall) (void *data);

VendAlarms *vend_alarms_new (GMainContext *context);
void vend_alarms_free (VendAlarms *alarms); /* drops what is left */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendAlarms, vend_alarms_free)

/* Calls once when vend_steady_us reaches `due_us`; the alarm is gone then. */
VendAlarm *vend_alarm_set (VendAlarms *alarms, int64_t due_us, VendAlarmCall call, void *data);
/* Takes back one that has not rung; sets the pointer to NULL. NULL inside is fine. */
void vend_alarm_clear (VendAlarm **alarm);
