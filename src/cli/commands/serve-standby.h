/* A server that stands by: it waits for the lease of a database that another server has, and takes
 * over when that one stops, dies or stands still. Main thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "base/service.h"
#include "store/store.h"

typedef struct
{
  const char *url; /* of a database on a server */
  const VendLease *lease;
  /* Is told how things stand. Its listener, made at `listen` when there is none yet, passes calls
   * on meanwhile, and stays open: who calls while the database changes hands waits there. */
  VendService *service;
  const char *listen;
  guint max_connections;
  const bool *stops; /* set by a callback of the main loop, which runs meanwhile */
} VendStandby;

/* CANCELED when it was stopped before. `*out` and `*out_former` as those of vend_store_take. */
bool vend_standby_take (const VendStandby *standby, VendDb **out, char **out_former, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* "HOST:PORT" at which a standby reaches a server that listens at `listen` with `port`. Free with
 * g_free. */
char *vend_standby_address (const char *listen, guint port) G_GNUC_WARN_UNUSED_RESULT;
