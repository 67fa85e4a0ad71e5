/* The inside of a broadcast. Two locks: `inbox_lock` is held for moments, by the writer too;
 * `log_lock` is for the HTTP threads alone, which may hold it while a long output is formatted.
 *
 * The log is a list of blocks to which bytes are only ever added. Where a URL of this server stands
 * in an event its origin is left out and the place remembered (a mark), since readers may have come
 * by different names. */
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
  VendStatus status;
  char *error;
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
  VendReplays *replays; /* or NULL */
  char *id;             /* in `replays` */
  gsize n_pushed;       /* the writer's */
  bool finished;        /* the writer's */

  pthread_mutex_t inbox_lock;
  GArray *inbox; /* of Item */
  GArray *spare; /* the empty one of the two; guarded by `log_lock` */

  pthread_mutex_t log_lock;
  GPtrArray *blocks; /* of Block */
  gsize size;        /* of all blocks */
  guint64 n_events;
  guint64 n_outputs; /* events before those of the end */
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
/* Makes events of what is in the inbox. `log_lock` is held. */
void vend_broadcast_take_in (VendBroadcast *broadcast);
