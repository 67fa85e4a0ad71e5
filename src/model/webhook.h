/* Webhook deliveries: messages about predictions, receivers, and retries. Plain values and pure
 * rules. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef enum
{
  VEND_WEBHOOK_START = 1 << 0,
  VEND_WEBHOOK_OUTPUT = 1 << 1,
  VEND_WEBHOOK_LOGS = 1 << 2,
  VEND_WEBHOOK_COMPLETED = 1 << 3,
} VendWebhookEvent;

const char *vend_webhook_event_name (VendWebhookEvent event);
bool vend_webhook_event_parse (const char *name, VendWebhookEvent *out);
/* The events of a filter; output and completed without a filter or with an empty one. */
guint vend_webhook_events (const json_t *filter);

typedef enum
{
  VEND_DELIVERY_PENDING,
  VEND_DELIVERY_DELIVERED,
  VEND_DELIVERY_DEAD,    /* given up; kept, and may be sent again by hand */
  VEND_DELIVERY_DROPPED, /* failed, of an event that is tried once */
} VendDeliveryState;

const char *vend_delivery_state_name (VendDeliveryState state);
bool vend_delivery_state_parse (const char *name, VendDeliveryState *out);

/* One message. */
typedef struct
{
  char *id; /* "msg_…", grows with time; the webhook-id */
  int64_t account_id;
  char *prediction;
  VendWebhookEvent event;
  char *url;
  char *lane; /* account and server; see vend_webhook_lane */
  VendDeliveryState state;
  guint tries;
  int last_status; /* of the last answer; 0 = none */
  char *last_error;
  uint64_t size; /* of the body */
  int64_t created_us;
  int64_t since_us; /* start of the tries: creation, or the last replay */
  int64_t due_us;
  int64_t ended_us; /* 0 = pending */
  char *body;       /* NULL when not read; "" after the end, except in dead deliveries */
} VendDelivery;

void vend_delivery_free (VendDelivery *delivery);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendDelivery, vend_delivery_free)
json_t *vend_delivery_to_json (const VendDelivery *delivery);

/* Ids of one source sort in the order of their times. Free with g_free. */
char *vend_delivery_id_new (int64_t now_us) G_GNUC_WARN_UNUSED_RESULT;

/* The queue of a delivery: the account and the server. Free with g_free. */
char *vend_webhook_lane (int64_t account_id, const char *url) G_GNUC_WARN_UNUSED_RESULT;

/* The least time between two output or logs messages of one prediction. */
#define VEND_WEBHOOK_INTERVAL_US (G_GINT64_CONSTANT (500000))

/* Limits of a message: with the end of a prediction, and before the end. Each message is stored
 * whole until it is sent; above the limit, large members are left out and named in `omitted`. */
#define VEND_WEBHOOK_MAX_END (16 * 1024 * 1024)
#define VEND_WEBHOOK_MAX_PROGRESS (1024 * 1024)

/* When the next output or logs message may be written; `last_us` 0 = the first. */
int64_t vend_webhook_throttle_us (int64_t last_us, int64_t now_us);

/* Life of a delivery from the first try on, in units (seconds); then it is given up. */
#define VEND_WEBHOOK_LIFE_UNITS (24 * 3600)

/* When to retry after `tries` failed tries; 0: never, the delivery is dead. `unit_us` is a second,
 * or less in tests. */
int64_t vend_webhook_retry_us (guint tries, int64_t since_us, int64_t now_us, int64_t unit_us);

/* The longest backoff. */
int64_t vend_webhook_longest_retry_us (int64_t unit_us);

/* A signing key: "whsec_" and standard base64. */
typedef struct
{
  char *secret;
  int64_t created_us;
  int64_t expires_us; /* 0 = the key in use */
} VendWebhookSecret;

void vend_webhook_secret_free (VendWebhookSecret *secret);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendWebhookSecret, vend_webhook_secret_free)

/* Time that a replaced key still signs. */
#define VEND_WEBHOOK_OVERLAP_US (24 * 3600 * G_GINT64_CONSTANT (1000000))
/* Keys that sign at the same time; more keys end the oldest early. */
#define VEND_WEBHOOK_MAX_SECRETS 4

/* Free with g_free. */
char *vend_webhook_secret_new (void) G_GNUC_WARN_UNUSED_RESULT;
