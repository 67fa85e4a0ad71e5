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
  const VendService *service; /* is told how things stand */
  const bool *stops;          /* set by a callback of the main loop, which runs meanwhile */
} VendStandby;

/* CANCELED when it was stopped before. `*out` and `*out_former` as those of vend_store_take. */
bool vend_standby_take (const VendStandby *standby, VendDb **out, char **out_former, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
