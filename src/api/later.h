/* Threads for work that would hold up an HTTP worker, which serves a share of all connections:
 * commits, hashes, disks, large JSON. The call is kept meanwhile, as the HTTP server allows, and a
 * thread of these replies. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* Each lane has threads of its own, so that slow work of one kind does not hold up the others. */
typedef enum
{
  VEND_LANE_WRITES,  /* a commit each */
  VEND_LANE_BYTES,   /* uploads and large bodies: hashes, syncs, parsing */
  VEND_LANE_READS,   /* rows and documents of any size */
  VEND_LANE_FILES,   /* contents of a file store elsewhere: waits for a network */
  VEND_LANE_REPLIES, /* text of what the core thread told */
  VEND_LANES,
} VendLane;

/* Of all lanes: each may read the store at the same time. */
#define VEND_LATER_THREADS 34
/* Jobs of one lane that wait for a thread, each a held call: a body is in memory or in the spool.
 */
#define VEND_LATER_MAX_WAITING 1024

typedef struct VendLater VendLater;
typedef void (*VendLaterWork) (void *data);

/* UNAVAILABLE when a thread cannot be made. */
bool vend_later_new (VendLater **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Runs what waits, then ends the threads. */
void vend_later_free (VendLater *later);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendLater, vend_later_free)

/* Runs `work (data)` on a thread of the lane. BUSY when too many wait, and nothing is run. Any
 * thread; never blocks. */
bool vend_later_try (VendLater *later, VendLane lane, VendLaterWork work, void *data,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same for a held call, which cannot be refused any more: the number of connections bounds
 * these calls. */
void vend_later_run (VendLater *later, VendLane lane, VendLaterWork work, void *data);
