/* The sender's state. All of it belongs to the sender's thread. */
#pragma once
#include <stdatomic.h>
#include "base/inbox.h"
#include "events/webhooks.h"
#include "model/webhook.h"
#include "net/outside.h"

typedef struct
{
  VendWebhooks *webhooks;
  VendDelivery *delivery;
  VendOutsideCall *call; /* NULL once it is answered */
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
  gint woken;                                       /* atomic: a wake is on its way */
  gint stopped;                                     /* atomic */
  _Atomic guint64 tries[VEND_DELIVERY_DROPPED + 1]; /* by the state after it */

  VendOutside *outside;
  GHashTable *sending;     /* id → Sending (owned); answered ones too until that is on disk */
  GHashTable *predictions; /* set of those with one under way: their order is kept */
  GHashTable *lanes;       /* lane → how many are under way */
  GHashTable *accounts;    /* account id, as text → the same */
  uint64_t bytes;          /* of bodies under way */
  GPtrArray *answered;     /* of Sending (borrowed from `sending`), not on disk yet */
  char *last_lane;         /* lanes take turns: where the last round ended */
  GSource *turn;           /* store answers, then send */
  GSource *timer;          /* the next one is due */
  GSource *sweep;
  GSource *grace; /* the end of patience while closing */
  bool closing;
  int64_t clock_us; /* the wall clock less the steady one, as it was last; 0: not looked at yet */
};

/* ---- webhooks.c */
/* Stores what was answered and sends what is due, after all that has happened in this turn. */
void vend_webhooks_turn_soon (VendWebhooks *webhooks);

/* ---- webhook-send.c */
/* Starts what is due and has room, each lane in its turn. `*out_next_us` is when to look again; 0 =
 * nothing waits for a time. */
bool vend_webhooks_fill (VendWebhooks *webhooks, int64_t *out_next_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Takes it out of all counts and frees it. */
void vend_webhooks_forget (VendWebhooks *webhooks, Sending *sending);
void vend_sending_free (void *sending);
