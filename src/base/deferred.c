/* Calls at the end of a turn. GLib prepares sources between the dispatches of one turn and the poll
 * of the next, those of high priority first. */
#include "base/deferred.h"
#include <stdbool.h>

struct VendDeferred
{
  GSource base;
  VendDeferredCall call;
  void *data;
  bool is_requested;
};

static gboolean
prepare (GSource *source, gint *out_timeout_ms)
{
  VendDeferred *deferred = (VendDeferred *) source;
  if (deferred->is_requested)
    {
      deferred->is_requested = false;
      deferred->call (deferred->data);
    }
  *out_timeout_ms = deferred->is_requested ? 0 : -1;
  return FALSE;
}

/* Never ready: prepare does all the work. */
static gboolean
dispatch (GSource *source, GSourceFunc callback, void *data)
{
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .prepare = prepare, .dispatch = dispatch };

VendDeferred *
vend_deferred_new (GMainContext *context, VendDeferredOrder order, VendDeferredCall call,
                   void *data)
{
  GSource *source = g_source_new (&source_funcs, sizeof (VendDeferred));
  VendDeferred *deferred = (VendDeferred *) source;
  deferred->call = call;
  deferred->data = data;
  deferred->is_requested = false;
  g_source_set_priority (source, 2 * G_PRIORITY_HIGH + (int) order);
  g_source_set_static_name (source, "deferred");
  g_source_attach (source, context);
  return deferred;
}

void
vend_deferred_free (VendDeferred *deferred)
{
  if (deferred == NULL)
    return;
  deferred->is_requested = false;
  g_source_destroy (&deferred->base);
  g_source_unref (&deferred->base);
}

void
vend_deferred_request (VendDeferred *deferred)
{
  deferred->is_requested = true;
}
