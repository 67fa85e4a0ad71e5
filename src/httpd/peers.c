/* Connections per address. Any thread. */
#include "httpd/peers-private.h"
#include <pthread.h>
#include <string.h>

#define NETWORK_BYTES 8 /* of an IPv6 address */

struct VendPeers
{
  guint most;
  pthread_mutex_t lock;
  GHashTable *counts; /* VendAddress → connections; without zeros */
};

static guint
hash_address (gconstpointer key)
{
  guint32 words[4];
  memcpy (words, key, sizeof words);
  return words[0] ^ (words[1] * 3) ^ (words[2] * 5) ^ (words[3] * 7);
}

static gboolean
is_same_address (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (VendAddress)) == 0;
}

VendPeers *
vend_peers_new (guint most)
{
  VendPeers *peers = g_new0 (VendPeers, 1);
  peers->most = most;
  pthread_mutex_init (&peers->lock, NULL);
  peers->counts = g_hash_table_new_full (hash_address, is_same_address, g_free, NULL);
  return peers;
}

void
vend_peers_free (VendPeers *peers)
{
  if (peers == NULL)
    return;
  g_hash_table_unref (peers->counts);
  pthread_mutex_destroy (&peers->lock);
  g_free (peers);
}

VendAddress
vend_peer_of (const VendAddress *address)
{
  static const guint8 mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
  VendAddress peer = *address;
  if (memcmp (peer.bytes, mapped, sizeof mapped) != 0)
    memset (peer.bytes + NETWORK_BYTES, 0, sizeof peer.bytes - NETWORK_BYTES);
  return peer;
}

static guint
count_of (VendPeers *peers, const VendAddress *peer)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (peers->counts, peer));
}

bool
vend_peers_enter (VendPeers *peers, const VendAddress *peer)
{
  if (peers->most == 0)
    return true;
  pthread_mutex_lock (&peers->lock);
  const guint count = count_of (peers, peer);
  const bool has_room = count < peers->most;
  if (has_room)
    g_hash_table_insert (peers->counts, g_memdup2 (peer, sizeof *peer),
                         GUINT_TO_POINTER (count + 1));
  pthread_mutex_unlock (&peers->lock);
  return has_room;
}

void
vend_peers_leave (VendPeers *peers, const VendAddress *peer)
{
  if (peers->most == 0)
    return;
  pthread_mutex_lock (&peers->lock);
  const guint count = count_of (peers, peer);
  if (count > 1)
    g_hash_table_insert (peers->counts, g_memdup2 (peer, sizeof *peer),
                         GUINT_TO_POINTER (count - 1));
  else
    g_hash_table_remove (peers->counts, peer);
  pthread_mutex_unlock (&peers->lock);
}
