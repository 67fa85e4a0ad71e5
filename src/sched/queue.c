/* The queue of one deployable: accounts take turns, each account's own order is kept. */
#include "sched/queue.h"

typedef struct
{
  int64_t account_id;
  GQueue entries;
} Lane;

struct VendQueue
{
  GHashTable *lanes; /* account id → Lane; only lanes with entries */
  GQueue turns;      /* of Lane, the next one first */
  guint length;
};

static void
lane_free (void *data)
{
  Lane *lane = data;
  g_queue_clear (&lane->entries);
  g_free (lane);
}

VendQueue *
vend_queue_new (void)
{
  VendQueue *queue = g_new0 (VendQueue, 1);
  queue->lanes = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, lane_free);
  return queue;
}

void
vend_queue_free (VendQueue *queue)
{
  if (queue == NULL)
    return;
  g_queue_clear (&queue->turns);
  g_hash_table_unref (queue->lanes);
  g_free (queue);
}

static Lane *
lane_of (VendQueue *queue, int64_t account_id)
{
  Lane *lane = g_hash_table_lookup (queue->lanes, &account_id);
  if (lane != NULL)
    return lane;
  lane = g_new0 (Lane, 1);
  lane->account_id = account_id;
  g_hash_table_insert (queue->lanes, &lane->account_id, lane);
  g_queue_push_tail (&queue->turns, lane);
  return lane;
}

void
vend_queue_push (VendQueue *queue, int64_t account_id, void *entry, VendQueuePlace *place)
{
  Lane *lane = lane_of (queue, account_id);
  g_queue_push_tail (&lane->entries, entry);
  *place = (VendQueuePlace){ lane, lane->entries.tail };
  queue->length++;
}

void
vend_queue_push_head (VendQueue *queue, int64_t account_id, void *entry, VendQueuePlace *place)
{
  Lane *lane = lane_of (queue, account_id);
  g_queue_push_head (&lane->entries, entry);
  *place = (VendQueuePlace){ lane, lane->entries.head };
  queue->length++;
  g_queue_remove (&queue->turns, lane);
  g_queue_push_head (&queue->turns, lane);
}

void *
vend_queue_peek (VendQueue *queue)
{
  Lane *lane = g_queue_peek_head (&queue->turns);
  return lane != NULL ? g_queue_peek_head (&lane->entries) : NULL;
}

void
vend_queue_remove (VendQueue *queue, VendQueuePlace *place)
{
  Lane *lane = place->lane;
  bool had_turn = queue->turns.head->data == lane && lane->entries.head == place->link;
  g_queue_delete_link (&lane->entries, place->link);
  *place = (VendQueuePlace){ NULL, NULL };
  queue->length--;
  if (lane->entries.length == 0)
    {
      g_queue_remove (&queue->turns, lane);
      g_hash_table_remove (queue->lanes, &lane->account_id);
    }
  else if (had_turn)
    {
      g_queue_pop_head (&queue->turns);
      g_queue_push_tail (&queue->turns, lane);
    }
}

guint
vend_queue_length (const VendQueue *queue)
{
  return queue->length;
}
