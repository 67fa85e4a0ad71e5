/* The event log of one prediction. Two locks: `inbox_lock` is held for moments, by the writer too;
 * `log_lock` is for the HTTP threads alone, which may hold it while a long output is formatted.
 *
 * The log is a list of blocks to which bytes are only ever added. Where a URL of this server stands
 * in an event its origin is left out and the place remembered (a mark), since readers may have come
 * by different names. */
#include "events/feed.h"
#include "base/clock.h"
#include "base/id.h"
#include "events/format.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define FIRST_BLOCK_BYTES ((gsize) 1024)
#define BLOCK_BYTES ((gsize) 16 * 1024)
#define OUTPUT_SCHEME "vend-output:"

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

struct VendFeed
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
  GArray *spare;

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
  GHashTable *feeds; /* id → VendFeed, borrowed */
};

/* ---- The writer */

static void
block_free (void *data)
{
  Block *block = data;
  if (block->marks != NULL)
    g_array_unref (block->marks);
  g_free (block);
}

static void
clear_item (void *data)
{
  Item *item = data;
  json_decref (item->value);
  g_free (item->error);
}

static GArray *
inbox_new (void)
{
  GArray *inbox = g_array_new (FALSE, FALSE, sizeof (Item));
  g_array_set_clear_func (inbox, clear_item);
  return inbox;
}

VendFeed *
vend_feed_new (int64_t created_us)
{
  VendFeed *feed = g_new0 (VendFeed, 1);
  atomic_init (&feed->owners, 1);
  feed->created_s = created_us / VEND_US_PER_S;
  feed->signal = vend_signal_new ();
  pthread_mutex_init (&feed->inbox_lock, NULL);
  pthread_mutex_init (&feed->log_lock, NULL);
  feed->inbox = inbox_new ();
  feed->blocks = g_ptr_array_new_with_free_func (block_free);
  return feed;
}

static void
post (VendFeed *feed, Item item)
{
  pthread_mutex_lock (&feed->inbox_lock);
  g_array_append_val (feed->inbox, item);
  pthread_mutex_unlock (&feed->inbox_lock);
}

void
vend_feed_push (VendFeed *feed, json_t *chunk)
{
  feed->n_pushed++;
  post (feed, (Item){ .kind = ITEM_CHUNK, .value = json_incref (chunk) });
  vend_signal_raise (feed->signal);
}

void
vend_feed_push_all (VendFeed *feed, json_t *take)
{
  feed->n_pushed += json_array_size (take);
  post (feed, (Item){ .kind = ITEM_CHUNKS, .value = take });
  vend_signal_raise (feed->signal);
}

void
vend_feed_finish (VendFeed *feed, const VendPrediction *ended)
{
  json_t *output = ended->output;
  const bool in_pieces = feed->n_pushed > 0 || ended->stream != 0;
  feed->finished = true;
  if (json_is_array (output) && in_pieces)
    post (feed,
          (Item){ .kind = ITEM_CHUNKS, .value = json_incref (output), .from = feed->n_pushed });
  else if (output != NULL && !json_is_null (output) && feed->n_pushed == 0)
    post (feed, (Item){ .kind = ITEM_CHUNK, .value = json_incref (output) });
  post (feed,
        (Item){ .kind = ITEM_END, .status = ended->status, .error = g_strdup (ended->error) });
  vend_signal_raise (feed->signal);
}

void
vend_feed_break (VendFeed *feed)
{
  if (feed->finished)
    return;
  post (feed, (Item){ .kind = ITEM_BREAK });
  vend_signal_raise (feed->signal);
}

VendFeed *
vend_feed_ref (VendFeed *feed)
{
  atomic_fetch_add (&feed->owners, 1);
  return feed;
}

void
vend_feed_unref (VendFeed *feed)
{
  if (feed == NULL)
    return;
  VendReplays *replays = feed->replays;
  if (replays != NULL)
    pthread_mutex_lock (&replays->lock);
  const bool last = atomic_fetch_sub (&feed->owners, 1) == 1;
  if (last && replays != NULL)
    g_hash_table_remove (replays->feeds, feed->id);
  if (replays != NULL)
    pthread_mutex_unlock (&replays->lock);
  if (!last)
    return;
  vend_signal_unref (feed->signal);
  pthread_mutex_destroy (&feed->inbox_lock);
  pthread_mutex_destroy (&feed->log_lock);
  g_array_unref (feed->inbox);
  g_clear_pointer (&feed->spare, g_array_unref);
  g_ptr_array_unref (feed->blocks);
  g_free (feed->id);
  g_free (feed);
}

/* ---- The log. `log_lock` is held. */

/* Stands for the origin until it is cut out; no model can know it. */
static const char *
origin_marker (void)
{
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static char *marker;
  pthread_mutex_lock (&lock);
  if (marker == NULL)
    marker = vend_secret_new ("", 40);
  pthread_mutex_unlock (&lock);
  return marker;
}

static bool
has_urls (const json_t *value)
{
  const char *key;
  json_t *item;
  size_t i;
  if (json_is_string (value))
    return g_str_has_prefix (json_string_value (value), OUTPUT_SCHEME);
  if (json_is_array (value))
    json_array_foreach ((json_t *) value, i, item)
      if (has_urls (item))
        return true;
  if (json_is_object (value))
    json_object_foreach ((json_t *) value, key, item)
      if (has_urls (item))
        return true;
  return false;
}

static Block *
block_with_room (VendFeed *feed, gsize size)
{
  Block *block
      = feed->blocks->len > 0 ? g_ptr_array_index (feed->blocks, feed->blocks->len - 1) : NULL;
  if (block != NULL && block->capacity - block->size >= size)
    return block;
  gsize capacity = MAX (size, block == NULL ? FIRST_BLOCK_BYTES : BLOCK_BYTES);
  block = g_malloc (sizeof *block + capacity);
  *block = (Block){ .start = feed->size, .before = feed->n_outputs, .capacity = capacity };
  g_ptr_array_add (feed->blocks, block);
  return block;
}

static void
append_events (VendFeed *feed, const GString *text, bool marked)
{
  Block *block = block_with_room (feed, text->len);
  const gsize skip = marked ? strlen (origin_marker ()) : 0;
  const char *at = text->str;
  for (const char *mark; marked && (mark = strstr (at, origin_marker ())) != NULL; at = mark + skip)
    {
      memcpy (block->data + block->size, at, (gsize) (mark - at));
      block->size += (gsize) (mark - at);
      if (block->marks == NULL)
        block->marks = g_array_new (FALSE, FALSE, sizeof (gsize));
      g_array_append_val (block->marks, block->size);
    }
  const gsize rest = text->len - (gsize) (at - text->str);
  memcpy (block->data + block->size, at, rest);
  block->size += rest;
  feed->size = block->start + block->size;
}

static void
add_output (VendFeed *feed, GString *text, json_t *value)
{
  const bool marked = has_urls (value);
  json_auto_t *shown
      = marked ? vend_output_with_urls (value, origin_marker ()) : json_incref (value);
  guint64 n = feed->n_outputs;
  g_string_truncate (text, 0);
  vend_event_output (text, feed->created_s, &n, shown);
  append_events (feed, text, marked);
  feed->n_events = feed->n_outputs = n;
}

static void
add_end (VendFeed *feed, GString *text, const Item *item)
{
  const char *reason = item->status == VEND_STATUS_SUCCEEDED ? NULL
                       : item->status == VEND_STATUS_FAILED  ? "error"
                                                             : "canceled";
  g_string_truncate (text, 0);
  if (item->status == VEND_STATUS_FAILED)
    vend_event_error (text, feed->created_s, &feed->n_events,
                      item->error != NULL ? item->error : "");
  vend_event_done (text, feed->created_s, &feed->n_events, reason);
  append_events (feed, text, false);
  feed->ended = true;
}

static void
take_item (VendFeed *feed, GString *text, const Item *item)
{
  size_t i;
  json_t *value;
  if (item->kind == ITEM_CHUNK)
    add_output (feed, text, item->value);
  else if (item->kind == ITEM_CHUNKS)
    for (i = item->from; (value = json_array_get (item->value, i)) != NULL; i++)
      add_output (feed, text, value);
  else if (item->kind == ITEM_END)
    add_end (feed, text, item);
  else
    feed->broken = true;
}

static void
take_in (VendFeed *feed)
{
  pthread_mutex_lock (&feed->inbox_lock);
  GArray *items = feed->inbox;
  if (items->len > 0)
    {
      feed->inbox = feed->spare != NULL ? feed->spare : inbox_new ();
      feed->spare = NULL;
    }
  else
    items = NULL;
  pthread_mutex_unlock (&feed->inbox_lock);
  if (items == NULL)
    return;

  g_autoptr (GString) text = g_string_sized_new (FIRST_BLOCK_BYTES);
  for (guint i = 0; i < items->len; i++)
    take_item (feed, text, &g_array_index (items, Item, i));
  g_array_set_size (items, 0);
  pthread_mutex_lock (&feed->inbox_lock);
  if (feed->spare == NULL)
    feed->spare = g_steal_pointer (&items);
  pthread_mutex_unlock (&feed->inbox_lock);
  g_clear_pointer (&items, g_array_unref);
}

/* ---- A reader, on the thread of its connection */

typedef struct
{
  VendFeed *feed;
  char *origin;
  gsize origin_size;
  guint64 after; /* until placed */
  bool placed;
  guint block;
  gsize offset;
  guint mark;
  gsize origin_sent; /* of the mark at `offset` */
} Reader;

/* The offset behind `n` events. */
static gsize
skip_events (const Block *block, guint64 n)
{
  const char *at = block->data;
  const char *end = block->data + block->size;
  for (; n > 0 && at < end; n--)
    {
      const char *stop = memmem (at, (gsize) (end - at), "\n\n", 2);
      at = stop != NULL ? stop + 2 : end;
    }
  return (gsize) (at - block->data);
}

/* Where to go on. A reader who has seen more than there is (a restart of the server forgot it)
 * waits until it is there again, or gets the end. False: not yet. */
static bool
place (Reader *reader)
{
  const VendFeed *feed = reader->feed;
  if (feed->ended)
    reader->after = reader->after > feed->n_events ? feed->n_outputs : reader->after;
  else if (reader->after > feed->n_events)
    return false;
  while (reader->block + 1 < feed->blocks->len
         && ((Block *) g_ptr_array_index (feed->blocks, reader->block + 1))->before
                <= reader->after)
    reader->block++;
  if (reader->block < feed->blocks->len)
    {
      const Block *block = g_ptr_array_index (feed->blocks, reader->block);
      reader->offset = skip_events (block, reader->after - block->before);
      while (block->marks != NULL && reader->mark < block->marks->len
             && g_array_index (block->marks, gsize, reader->mark) < reader->offset)
        reader->mark++;
    }
  return reader->placed = true;
}

/* Copies up to `room` bytes of the block at which the reader is. */
static gsize
copy_some (Reader *reader, const Block *block, char *buffer, gsize room)
{
  const bool has_mark = block->marks != NULL && reader->mark < block->marks->len;
  const gsize stop = has_mark ? g_array_index (block->marks, gsize, reader->mark) : block->size;
  if (has_mark && stop == reader->offset)
    {
      const gsize n = MIN (room, reader->origin_size - reader->origin_sent);
      memcpy (buffer, reader->origin + reader->origin_sent, n);
      reader->origin_sent += n;
      if (reader->origin_sent == reader->origin_size)
        {
          reader->mark++;
          reader->origin_sent = 0;
        }
      return n;
    }
  const gsize n = MIN (room, stop - reader->offset);
  memcpy (buffer, block->data + reader->offset, n);
  reader->offset += n;
  return n;
}

static bool
next_block (Reader *reader, const Block *block)
{
  if (reader->offset < block->size || reader->block + 1 >= reader->feed->blocks->len)
    return false;
  reader->block++;
  reader->offset = 0;
  reader->mark = 0;
  return true;
}

static gssize
read_log (Reader *reader, char *buffer, gsize room)
{
  const VendFeed *feed = reader->feed;
  gsize n = 0;
  if (reader->placed || place (reader))
    while (n < room && reader->block < feed->blocks->len)
      {
        const Block *block = g_ptr_array_index (feed->blocks, reader->block);
        const gsize some = copy_some (reader, block, buffer + n, room - n);
        n += some;
        if (some == 0 && !next_block (reader, block))
          break;
      }
  if (n > 0)
    return (gssize) n;
  return feed->ended ? VEND_PULL_END : feed->broken ? VEND_PULL_BREAK : 0;
}

static gssize
reader_read (void *data, char *buffer, gsize room)
{
  Reader *reader = data;
  pthread_mutex_lock (&reader->feed->log_lock);
  take_in (reader->feed);
  const gssize n = read_log (reader, buffer, room);
  pthread_mutex_unlock (&reader->feed->log_lock);
  return n;
}

static bool
reader_is_slow (void *data)
{
  Reader *reader = data;
  VendFeed *feed = reader->feed;
  pthread_mutex_lock (&feed->log_lock);
  take_in (feed);
  const Block *block
      = reader->block < feed->blocks->len ? g_ptr_array_index (feed->blocks, reader->block) : NULL;
  const gsize at = block != NULL ? block->start + reader->offset : 0;
  const bool slow = feed->size - at > VEND_FEED_BEHIND_BYTES;
  pthread_mutex_unlock (&feed->log_lock);
  return slow;
}

static void
reader_free (void *data)
{
  Reader *reader = data;
  vend_feed_unref (reader->feed);
  g_free (reader->origin);
  g_free (reader);
}

static const VendPullFuncs reader_funcs
    = { reader_read, reader_is_slow, reader_free, VEND_EVENTS_KEEP_ALIVE };

VendReply *
vend_feed_reply (VendFeed *feed, guint64 after, const char *origin)
{
  Reader *reader = g_new0 (Reader, 1);
  reader->feed = vend_feed_ref (feed);
  reader->origin = g_strdup (origin);
  reader->origin_size = strlen (origin);
  reader->after = after;
  VendReply *reply
      = vend_reply_pull (200, "text/event-stream", feed->signal, &reader_funcs, reader);
  vend_reply_header (reply, "Cache-Control", "no-store");
  /* A proxy that collects the events would undo the stream. */
  vend_reply_header (reply, "X-Accel-Buffering", "no");
  return reply;
}

bool
vend_feed_is_read (VendFeed *feed, guint64 after)
{
  pthread_mutex_lock (&feed->log_lock);
  take_in (feed);
  const bool is_read = feed->ended && after == feed->n_events;
  pthread_mutex_unlock (&feed->log_lock);
  return is_read;
}

/* ---- Replays */

VendReplays *
vend_replays_new (void)
{
  VendReplays *replays = g_new0 (VendReplays, 1);
  pthread_mutex_init (&replays->lock, NULL);
  replays->feeds = g_hash_table_new (g_str_hash, g_str_equal);
  return replays;
}

void
vend_replays_free (VendReplays *replays)
{
  if (replays == NULL)
    return;
  g_assert (g_hash_table_size (replays->feeds) == 0);
  g_hash_table_unref (replays->feeds);
  pthread_mutex_destroy (&replays->lock);
  g_free (replays);
}

VendFeed *
vend_replays_get (VendReplays *replays, const VendPrediction *ended)
{
  pthread_mutex_lock (&replays->lock);
  VendFeed *feed = g_hash_table_lookup (replays->feeds, ended->id);
  if (feed != NULL)
    vend_feed_ref (feed);
  else
    {
      feed = vend_feed_new (ended->created_us);
      vend_feed_finish (feed, ended);
      feed->replays = replays;
      feed->id = g_strdup (ended->id);
      g_hash_table_insert (replays->feeds, feed->id, feed);
    }
  pthread_mutex_unlock (&replays->lock);
  return feed;
}
