/* The sender of webhooks: takes deliveries from the outbox in the store and sends them until they
 * are delivered or given up. Runs on its own thread: reads of bodies and TLS handshakes take longer
 * than the core thread may wait. */
#pragma once
#include <stdint.h>
#include <glib.h>

#include "base/network.h"
#include "model/webhook.h"
#include "store/store.h"

/* Limits of deliveries in flight: all together, of one account, of one account to one server. */
#define VEND_WEBHOOKS_MAX 64
#define VEND_WEBHOOKS_MAX_ACCOUNT 16
#define VEND_WEBHOOKS_MAX_LANE 4
/* Limit of bodies in memory; a larger body is sent alone. */
#define VEND_WEBHOOKS_MAX_BYTES (G_GUINT64_CONSTANT (64) << 20)
#define VEND_WEBHOOKS_TIMEOUT_US (10 * G_GINT64_CONSTANT (1000000))

typedef struct VendWebhooks VendWebhooks;

typedef struct
{
  VendStore *store;
  const char *allow;    /* networks besides public addresses: "10.0.0.0/8", or "" */
  int64_t keep_us;      /* retention of delivered and dropped deliveries */
  int64_t dead_keep_us; /* retention of dead deliveries, with their bodies */
  int dead_max;         /* dead deliveries of one account */
  int64_t unit_us;      /* a second of backoff; less in tests */
} VendWebhooksOptions;

/* INVALID when `allow` is no list of networks. */
bool vend_webhooks_start (const VendWebhooksOptions *options, VendWebhooks **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Waits a little for answers in flight. Unanswered deliveries are sent again after the next start.
 * From then on a wake does nothing. */
void vend_webhooks_stop (VendWebhooks *webhooks);
void vend_webhooks_free (VendWebhooks *webhooks); /* stops it first if need be */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendWebhooks, vend_webhooks_free)

/* The outbox has new deliveries. Any thread; cheap. */
void vend_webhooks_wake (VendWebhooks *webhooks);

/* Tries so far, by the state of the delivery after the try: pending counts tries with a retry. Any
 * thread. */
guint64 vend_webhooks_tries (VendWebhooks *webhooks, VendDeliveryState state);

/* Networks besides public addresses that deliveries may go to. Any thread. */
const VendNetworks *vend_webhooks_get_allow (const VendWebhooks *webhooks);
