/* How many connections each address has. Any thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "base/network.h"

typedef struct VendPeers VendPeers;

/* `most` of one address; 0 = no limit. */
VendPeers *vend_peers_new (guint most);
void vend_peers_free (VendPeers *peers);

/* The address as it is counted: an IPv6 network of 64 bits is one, since whoever has one of its
 * addresses has all. */
VendAddress vend_peer_of (const VendAddress *address);
/* False, and nothing counted, when that address has its share. */
bool vend_peers_enter (VendPeers *peers, const VendAddress *peer);
void vend_peers_leave (VendPeers *peers, const VendAddress *peer);
