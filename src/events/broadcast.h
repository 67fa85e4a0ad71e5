/* The broadcast log of one prediction: its events, and its readers.
 *
 * One thread puts pieces of output in, which costs it a pointer each; the HTTP threads make events
 * of them when somebody reads, once for all readers, who share the bytes. Nothing is made while
 * nobody reads. */
#pragma once
#include <stdint.h>
#include <glib.h>

#include "httpd/httpd.h"
#include "model/prediction.h"

/* What may wait for a reader who takes nothing any more. */
#define VEND_BROADCAST_BEHIND_BYTES ((gsize) 256 * 1024)

typedef struct VendBroadcast VendBroadcast;
typedef struct VendReplays VendReplays;

/* ---- The side that writes: one thread at a time. */
VendBroadcast *vend_broadcast_new (int64_t created_us);
/* The next piece. Values are shared and must not change any more. */
void vend_broadcast_push (VendBroadcast *broadcast, json_t *chunk);
/* The same for all items of an array, which is taken. */
void vend_broadcast_push_all (VendBroadcast *broadcast, json_t *take);
/* The prediction has ended: what was not pushed yet of its output, and how it ended. */
void vend_broadcast_finish (VendBroadcast *broadcast, const VendPrediction *ended);
/* Readers are sent away, and may come back. Harmless after the end. */
void vend_broadcast_break (VendBroadcast *broadcast);

/* ---- Any thread. */
VendBroadcast *vend_broadcast_ref (VendBroadcast *broadcast);
void vend_broadcast_unref (VendBroadcast *broadcast);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBroadcast, vend_broadcast_unref)

/* Whether the end was reached, and event `after` is the last one. May take its time. */
bool vend_broadcast_is_read (VendBroadcast *broadcast, guint64 after);
/* The events after the one with this number. */
VendReply *vend_broadcast_reply (VendBroadcast *broadcast, guint64 after, const char *origin);

/* Replies that read a broadcast log now. Any thread. */
guint vend_broadcast_open_readers (void);

/* ---- Logs of ended predictions that are being read, so that all their readers share one. */
VendReplays *vend_replays_new (void);
/* No log of it may be in use. */
void vend_replays_free (VendReplays *replays);
/* A new reference. Any thread. */
VendBroadcast *vend_replays_get (VendReplays *replays, const VendPrediction *ended);
