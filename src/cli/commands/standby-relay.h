/* Passes connections on to the server that has the database, byte by byte, while this one stands
 * by; on a thread of its own. While nobody answers there, callers wait in the backlog of the
 * socket, and whoever listens on it next finds them. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef struct VendRelay VendRelay;

/* `listener` is borrowed and does not block; it outlives the relay. At most `max` connections at a
 * time. */
bool vend_relay_start (int listener, guint max, VendRelay **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* "HOST:PORT" to pass to from now on, also when nothing answered there a moment ago; "" for
 * nowhere. Blocks while a name is looked up. */
void vend_relay_set_target (VendRelay *relay, const char *address);

/* Ends all connections. */
void vend_relay_free (VendRelay *relay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendRelay, vend_relay_free)
