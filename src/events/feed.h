/* The event log of one prediction, and its readers.
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
#define VEND_FEED_BEHIND_BYTES ((gsize) 256 * 1024)

typedef struct VendFeed VendFeed;
typedef struct VendReplays VendReplays;

/* ---- The side that writes: one thread at a time. */
VendFeed *vend_feed_new (int64_t created_us);
/* The next piece. Values are shared and must not change any more. */
void vend_feed_push (VendFeed *feed, json_t *chunk);
/* The same for all items of an array, which is taken. */
void vend_feed_push_all (VendFeed *feed, json_t *take);
/* The prediction has ended: what was not pushed yet of its output, and how it ended. */
void vend_feed_finish (VendFeed *feed, const VendPrediction *ended);
/* Readers are sent away, and may come back. Harmless after the end. */
void vend_feed_break (VendFeed *feed);

/* ---- Any thread. */
VendFeed *vend_feed_ref (VendFeed *feed);
void vend_feed_unref (VendFeed *feed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendFeed, vend_feed_unref)

/* Whether the end was reached, and event `after` is the last one. May take its time. */
bool vend_feed_is_read (VendFeed *feed, guint64 after);
/* The events after the one with this number. */
VendReply *vend_feed_reply (VendFeed *feed, guint64 after, const char *origin);

/* Replies of all feeds that are being read. Any thread. */
guint vend_feed_open_readers (void);

/* ---- Feeds of ended predictions that are being read, so that all their readers share one. */
VendReplays *vend_replays_new (void);
/* No feed of it may be in use. */
void vend_replays_free (VendReplays *replays);
/* A new reference. Any thread. */
VendFeed *vend_replays_get (VendReplays *replays, const VendPrediction *ended);
