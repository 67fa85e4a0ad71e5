/* The sender of webhooks: takes deliveries from the outbox in the store and sends them until they
 * are delivered or given up. Its thread is its own: it reads bodies from the disk and shakes hands
 * with TLS servers, which takes longer than the core thread may wait. */
#pragma once
#include <stdint.h>
#include <glib.h>

#include "base/network.h"
#include "model/webhook.h"
#include "store/store.h"

/* Deliveries under way: all together, of one account, of one account to one server. */
#define VEND_WEBHOOKS_MAX 64
#define VEND_WEBHOOKS_MAX_ACCOUNT 16
#define VEND_WEBHOOKS_MAX_LANE 4
/* Bodies in memory; one larger than this goes alone. */
#define VEND_WEBHOOKS_MAX_BYTES (G_GUINT64_CONSTANT (64) << 20)
#define VEND_WEBHOOKS_TIMEOUT_US (10 * G_GINT64_CONSTANT (1000000))

typedef struct VendWebhooks VendWebhooks;

typedef struct
{
  VendStore *store;
  const char *allow;    /* networks beside public addresses: "10.0.0.0/8", or "" */
  int64_t keep_us;      /* what is delivered or dropped stays in the list */
  int64_t dead_keep_us; /* what is given up stays, with its body */
  int dead_max;         /* of one account */
  int64_t unit_us;      /* a second between tries; less in tests */
} VendWebhooksOptions;

/* INVALID when `allow` is no list of networks. */
bool vend_webhooks_start (const VendWebhooksOptions *options, VendWebhooks **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Waits a little for answers that are due; what is not answered is sent again after the next start.
 * From then on a wake does nothing. */
void vend_webhooks_stop (VendWebhooks *webhooks);
void vend_webhooks_free (VendWebhooks *webhooks); /* stops it first if need be */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendWebhooks, vend_webhooks_free)

/* The outbox has something that was not there before. Any thread; cheap. */
void vend_webhooks_wake (VendWebhooks *webhooks);

/* Tries so far, by the state that they left the delivery in: pending stands for those that are
 * tried again. Any thread. */
guint64 vend_webhooks_tries (VendWebhooks *webhooks, VendDeliveryState state);

/* Whom deliveries may go to beside public addresses. Any thread. */
const VendNetworks *vend_webhooks_get_allow (const VendWebhooks *webhooks);
