/* The inside of a broadcast log. Two locks: `inbox_lock` is held for moments, also by the writer;
 * `log_lock` is for HTTP threads only, which may hold it while a long output is formatted.
 *
 * The log is an append-only list of blocks. URLs of this server are stored without their origin,
 * and their places as marks, since readers may use different origins. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "events/broadcast.h"

typedef enum
{
  ITEM_CHUNK,  /* `value` */
  ITEM_CHUNKS, /* items of `value` from `from` on */
  ITEM_END,
  ITEM_BREAK,
} ItemKind;

typedef struct
{
  ItemKind kind;
  json_t *value;
  gsize from;
  VendPrediction *ended; /* what a form is told of the end */
} Item;

typedef struct
{
  gsize start;    /* bytes in the blocks before */
  guint64 before; /* events in the blocks before */
  gsize size;
  gsize capacity;
  GArray *marks; /* of gsize: offsets where the origin belongs; or NULL */
  char data[];
} Block;

struct VendBroadcast
{
  atomic_uint owners;
  int64_t created_s;
  VendSignal *signal;
  VendReplays *replays;          /* or NULL */
  char *id;                      /* in `replays` */
  gsize n_pushed;                /* owned by the writer */
  bool finished;                 /* owned by the writer */
  const VendBroadcastForm *form; /* or NULL: that of the Replicate API */
  void *form_data;
  bool begun; /* in `form`; guarded by `log_lock` */

  pthread_mutex_t inbox_lock;
  GArray *inbox; /* of Item */
  GArray *spare; /* the empty array of the two; guarded by `log_lock` */

  pthread_mutex_t log_lock;
  GPtrArray *blocks; /* of Block */
  gsize size;        /* of all blocks */
  guint64 n_events;
  guint64 n_outputs; /* events before the events of the end */
  bool ended;
  bool broken;
};

struct VendReplays
{
  pthread_mutex_t lock;
  GHashTable *broadcasts; /* id → VendBroadcast, borrowed */
};

/* ---- broadcast-log.c */
GArray *vend_broadcast_inbox_new (void);
void vend_broadcast_block_free (void *block);
/* Formats the events of the inbox. `log_lock` is held. */
void vend_broadcast_take_in (VendBroadcast *broadcast);
