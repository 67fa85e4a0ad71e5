/* A queue of calls for one GMainContext: any thread posts, the context's thread runs the calls in
 * order, many in one wake-up. Cheaper than a GSource for each call. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef struct VendInbox VendInbox;
typedef void (*VendInboxCall) (void *data);

VendInbox *vend_inbox_new (GMainContext *context);
/* On the context's thread; runs waiting calls, and returns whether there were any. */
bool vend_inbox_drain (VendInbox *inbox);
/* On the context's thread; runs waiting calls first. No thread may post any more. */
void vend_inbox_free (VendInbox *inbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendInbox, vend_inbox_free)

/* Any thread; never blocks. */
void vend_inbox_post (VendInbox *inbox, VendInboxCall call, void *data);
