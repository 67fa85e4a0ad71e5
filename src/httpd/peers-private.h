/* Connections per address. Any thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "base/network.h"

typedef struct VendPeers VendPeers;

/* `most` connections of one address; 0 = no limit. */
VendPeers *vend_peers_new (guint most);
void vend_peers_free (VendPeers *peers);

/* The counted address: an IPv6 network of 64 bits counts as one, since the owner of one of its
 * addresses has all. */
VendAddress vend_peer_of (const VendAddress *address);
/* False, and nothing counted, when the address has reached the limit. */
bool vend_peers_enter (VendPeers *peers, const VendAddress *peer);
void vend_peers_leave (VendPeers *peers, const VendAddress *peer);
