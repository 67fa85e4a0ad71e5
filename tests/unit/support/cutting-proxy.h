/* Stands between a store and its PostgreSQL server, on a socket of its own, and cuts connections.
 */
#pragma once
#include <glib.h>

typedef struct CuttingProxy CuttingProxy;

/* `url` names the server's socket by host= and port=. The proxy's socket lies in `dir`. */
CuttingProxy *cutting_proxy_new (const char *dir, const char *url);
void cutting_proxy_free (CuttingProxy *proxy);
const char *cutting_proxy_url (const CuttingProxy *proxy);

/* Cuts the next connection that sends a COMMIT, after all of it was passed on and before any answer
 * is. */
void cutting_proxy_cut_at_commit (CuttingProxy *proxy);
guint cutting_proxy_cuts (CuttingProxy *proxy);
