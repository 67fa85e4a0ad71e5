/* One connection from inside, from its first byte to its end. On the thread of its context. */
#pragma once
#include "egress/egress.h"
#include "egress/report.h"

typedef struct VendProxyConnection VendProxyConnection;

typedef struct
{
  const VendProxyOptions *options; /* without zeros; outlives the connection */
  VendProxyReporter *reporter;
  /* Last words of the connection, which is to be freed now. */
  void (*ended) (VendProxyConnection *connection, void *data);
  void *data;
} VendProxyShared;

/* Takes `client`, a non-blocking socket. `shared` outlives the connection. */
VendProxyConnection *vend_proxy_connection_new (int client, const VendProxyShared *shared)
    G_GNUC_WARN_UNUSED_RESULT;
/* Closes it, whatever it is doing. */
void vend_proxy_connection_free (VendProxyConnection *connection);
