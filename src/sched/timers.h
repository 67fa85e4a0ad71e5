/* Many timers on one source: GLib walks all its sources every turn, so thousands of held requests
 * must not be thousands of sources. Core thread. */
#pragma once
#include <stdint.h>
#include <glib.h>

typedef struct VendTimers VendTimers;
typedef struct VendTimer VendTimer;
typedef void (*VendTimerCall) (void *data);

VendTimers *vend_timers_new (GMainContext *context);
void vend_timers_free (VendTimers *timers); /* drops timers that are not due */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendTimers, vend_timers_free)

/* Calls once when vend_steady_us reaches `due_us`; the timer is gone then. */
VendTimer *vend_timer_set (VendTimers *timers, int64_t due_us, VendTimerCall call, void *data);
/* Cancels a timer that is not due yet; sets the pointer to NULL. NULL inside is fine. */
void vend_timer_clear (VendTimer **timer);
