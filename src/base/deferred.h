/* A call at the end of a turn of a main loop: once, after all ready sources have been dispatched
 * and before the loop polls again. An idle source would cost a poll of its own. On the thread of
 * the context. */
#pragma once
#include <glib.h>

typedef struct VendDeferred VendDeferred;
typedef void (*VendDeferredCall) (void *data);

/* Work of a turn comes before the sending of its results. */
typedef enum
{
  VEND_DEFERRED_WORK,
  VEND_DEFERRED_SEND,
} VendDeferredOrder;

VendDeferred *vend_deferred_new (GMainContext *context, VendDeferredOrder order,
                                 VendDeferredCall call, void *data);
/* Cancels a request. May be called inside the call. */
void vend_deferred_free (VendDeferred *deferred);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendDeferred, vend_deferred_free)

/* Asks for the call at the end of this turn; inside the call, at the end of the next one. */
void vend_deferred_request (VendDeferred *deferred);
