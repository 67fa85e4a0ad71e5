/* The sender's state. Sender's thread only. */
#pragma once
#include <stdatomic.h>
#include "base/inbox.h"
#include "events/webhooks.h"
#include "model/webhook.h"
#include "net/egress.h"

typedef struct
{
  VendWebhooks *webhooks;
  VendDelivery *delivery;
  VendEgressCall *call; /* NULL once answered */
} Sending;

struct VendWebhooks
{
  VendStore *store;
  VendNetworks *allow;
  int64_t keep_us;
  int64_t dead_keep_us;
  int dead_max;
  int64_t unit_us;

  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;
  VendInbox *inbox;
  gint woken;                                       /* atomic: a wake is in flight */
  gint stopped;                                     /* atomic */
  _Atomic guint64 tries[VEND_DELIVERY_DROPPED + 1]; /* by the state after the try */

  VendEgress *egress;
  GHashTable *sending; /* id → Sending (owned); answered ones too until the answer is on disk */
  GHashTable *predictions; /* set of predictions with a delivery in flight: keeps their order */
  GHashTable *lanes;       /* lane → deliveries in flight */
  GHashTable *accounts;    /* account id, as text → deliveries in flight */
  uint64_t bytes;          /* of bodies in flight */
  GPtrArray *answered;     /* of Sending (borrowed from `sending`), not on disk yet */
  char *last_lane;         /* the lane of the last turn; lanes take turns */
  GSource *turn;           /* stores answers, then sends */
  GSource *timer;          /* the next delivery is due */
  GSource *sweep;
  GSource *grace; /* deadline of the close */
  bool closing;
  int64_t clock_us; /* the last offset from steady to wall clock; 0: not measured yet */
};

/* ---- webhooks.c */
/* Stores answers and sends due deliveries, at the end of this turn of the loop. */
void vend_webhooks_turn_soon (VendWebhooks *webhooks);

/* ---- webhook-send.c */
/* Starts due deliveries within the limits, lane by lane. `*out_next_us` is the time of the next
 * look; 0 = nothing waits for a time. */
bool vend_webhooks_fill (VendWebhooks *webhooks, int64_t *out_next_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Removes the delivery from all counts and frees it. */
void vend_webhooks_forget (VendWebhooks *webhooks, Sending *sending);
void vend_sending_free (void *sending);
