/* The broadcast log of one prediction: its events, and its readers.
 *
 * One thread pushes chunks of output, at the cost of a pointer each. The HTTP threads format events
 * when a reader asks, once for all readers, which share the bytes. Without readers nothing is
 * formatted. */
#pragma once
#include <stdint.h>
#include <glib.h>

#include "httpd/httpd.h"
#include "model/prediction.h"

/* Limit of bytes that wait for a reader that does not read. */
#define VEND_BROADCAST_BEHIND_BYTES ((gsize) 256 * 1024)

typedef struct VendBroadcast VendBroadcast;
typedef struct VendReplays VendReplays;

/* Another form of the events than that of the Replicate API, for a log with one reader. Each
 * function but `left` and `free` appends to `to`; they are called by one HTTP thread at a time. */
typedef struct
{
  void (*begin) (void *data, GString *to); /* once, before everything else */
  void (*chunk) (void *data, GString *to, const json_t *chunk);
  /* Of `ended` there are the status, error, error code and metrics. */
  void (*end) (void *data, GString *to, const VendPrediction *ended);
  void (*left) (void *data); /* the reader has gone before the end; not when the log broke */
  void (*free) (void *data);
} VendBroadcastForm;

/* ---- The writer: one thread at a time. */
VendBroadcast *vend_broadcast_new (int64_t created_us);
/* The same in another form. `data` is taken, and freed with the log. */
VendBroadcast *vend_broadcast_new_as (const VendBroadcastForm *form, void *data);
/* Pushes the next chunk. Values are shared and must not change any more. */
void vend_broadcast_push (VendBroadcast *broadcast, json_t *chunk);
/* The same for all items of an array, which is taken. */
void vend_broadcast_push_all (VendBroadcast *broadcast, json_t *take);
/* The prediction has ended: pushes the rest of its output, and its end. */
void vend_broadcast_finish (VendBroadcast *broadcast, const VendPrediction *ended);
/* Disconnects the readers, which may come back. Harmless after the end. */
void vend_broadcast_break (VendBroadcast *broadcast);

/* ---- Any thread. */
VendBroadcast *vend_broadcast_ref (VendBroadcast *broadcast);
void vend_broadcast_unref (VendBroadcast *broadcast);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBroadcast, vend_broadcast_unref)

/* Whether the end was reached and event `after` is the last one. May be slow. */
bool vend_broadcast_is_read (VendBroadcast *broadcast, guint64 after);
/* The events after number `after`. */
VendReply *vend_broadcast_reply (VendBroadcast *broadcast, guint64 after, const char *origin);

/* Open readers of broadcast logs. Any thread. */
guint vend_broadcast_open_readers (void);

/* ---- Replays: logs of ended predictions, shared by all their readers. */
VendReplays *vend_replays_new (void);
/* No log of `replays` may be in use. */
void vend_replays_free (VendReplays *replays);
/* A new reference. Any thread. */
VendBroadcast *vend_replays_get (VendReplays *replays, const VendPrediction *ended);
