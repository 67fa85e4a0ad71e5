/* The queue of one target: round robin over accounts, first in first out within an account. */
#include "policy/queue.h"

typedef struct
{
  int64_t account_id;
  GQueue entries;
  int64_t first; /* number of the head */
  int64_t next;  /* number of the next entry at the tail */
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
  *place = (VendQueuePlace){ lane, lane->entries.tail, lane->next++ };
  queue->length++;
}

void
vend_queue_push_head (VendQueue *queue, int64_t account_id, void *entry, VendQueuePlace *place)
{
  Lane *lane = lane_of (queue, account_id);
  g_queue_push_head (&lane->entries, entry);
  *place = (VendQueuePlace){ lane, lane->entries.head, --lane->first };
  queue->length++;
  g_queue_remove (&queue->turns, lane);
  g_queue_push_head (&queue->turns, lane);
}

static guint
no_limit (int64_t account_id, const void *data)
{
  return G_MAXUINT;
}

void *
vend_queue_peek_with_room (const VendQueue *queue, VendQueueRoom room, const void *data)
{
  for (const GList *item = queue->turns.head; item != NULL; item = item->next)
    {
      const Lane *lane = item->data;
      if (room (lane->account_id, data) > 0)
        return lane->entries.head->data;
    }
  return NULL;
}

void *
vend_queue_peek (const VendQueue *queue)
{
  return vend_queue_peek_with_room (queue, no_limit, NULL);
}

void
vend_queue_remove (VendQueue *queue, VendQueuePlace *place)
{
  Lane *lane = place->lane;
  if (lane->entries.head == place->link)
    lane->first = place->number + 1;
  g_queue_delete_link (&lane->entries, place->link);
  *place = (VendQueuePlace){ NULL, NULL, 0 };
  queue->length--;
  if (lane->entries.length > 0)
    return;
  g_queue_remove (&queue->turns, lane);
  g_hash_table_remove (queue->lanes, &lane->account_id);
}

void
vend_queue_take (VendQueue *queue, VendQueuePlace *place)
{
  Lane *lane = place->lane;
  if (lane->entries.length > 1)
    {
      g_queue_remove (&queue->turns, lane);
      g_queue_push_tail (&queue->turns, lane);
    }
  vend_queue_remove (queue, place);
}

guint
vend_queue_length (const VendQueue *queue)
{
  return queue->length;
}

guint
vend_queue_length_with_room (const VendQueue *queue, VendQueueRoom room, const void *data)
{
  guint length = 0;
  for (const GList *item = queue->turns.head; item != NULL; item = item->next)
    {
      const Lane *lane = item->data;
      length += MIN (lane->entries.length, room (lane->account_id, data));
    }
  return length;
}

guint
vend_queue_accounts (const VendQueue *queue)
{
  return g_hash_table_size (queue->lanes);
}

void
vend_queue_each_first (const VendQueue *queue, guint most, VendQueueSeen seen, void *data)
{
  for (const GList *item = queue->turns.head; item != NULL && most-- > 0; item = item->next)
    seen (((const Lane *) item->data)->entries.head->data, data);
}

guint
vend_queue_before_in_lane (const VendQueuePlace *place)
{
  const Lane *own = place->lane;
  return (guint) CLAMP (place->number - own->first, 0, own->entries.length - 1);
}

guint
vend_queue_position (const VendQueue *queue, const VendQueuePlace *place)
{
  const Lane *own = place->lane;
  const guint before = vend_queue_before_in_lane (place);
  guint position = before + 1;
  bool is_ahead = true;
  for (const GList *item = queue->turns.head; item != NULL; item = item->next)
    {
      const Lane *lane = item->data;
      if (lane == own)
        is_ahead = false;
      else
        position += MIN (lane->entries.length, before + (is_ahead ? 1 : 0));
    }
  return position;
}
