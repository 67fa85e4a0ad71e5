/* From pieces of output to the bytes of events. HTTP threads, with `log_lock`. */
#include "base/id.h"
#include "events/feed-private.h"
#include "events/format.h"
#include <string.h>

#define FIRST_BLOCK_BYTES ((gsize) 1024)
#define BLOCK_BYTES ((gsize) 16 * 1024)
#define OUTPUT_SCHEME "vend-output:"
#define KEPT_ITEMS 256 /* a longer inbox is given back */

void
vend_feed_block_free (void *data)
{
  FeedBlock *block = data;
  if (block->marks != NULL)
    g_array_unref (block->marks);
  g_free (block);
}

static void
clear_item (void *data)
{
  FeedItem *item = data;
  json_decref (item->value);
  g_free (item->error);
}

GArray *
vend_feed_inbox_new (void)
{
  GArray *inbox = g_array_new (FALSE, FALSE, sizeof (FeedItem));
  g_array_set_clear_func (inbox, clear_item);
  return inbox;
}

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

static FeedBlock *
block_with_room (VendFeed *feed, gsize size)
{
  FeedBlock *block
      = feed->blocks->len > 0 ? g_ptr_array_index (feed->blocks, feed->blocks->len - 1) : NULL;
  if (block != NULL && block->capacity - block->size >= size)
    return block;
  gsize capacity = MAX (size, block == NULL ? FIRST_BLOCK_BYTES : BLOCK_BYTES);
  block = g_malloc (sizeof *block + capacity);
  *block = (FeedBlock){ .start = feed->size, .before = feed->n_outputs, .capacity = capacity };
  g_ptr_array_add (feed->blocks, block);
  return block;
}

static void
append_events (VendFeed *feed, const GString *text, bool marked)
{
  FeedBlock *block = block_with_room (feed, text->len);
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
add_end (VendFeed *feed, GString *text, const FeedItem *item)
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
take_item (VendFeed *feed, GString *text, const FeedItem *item)
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

void
vend_feed_take_in (VendFeed *feed)
{
  pthread_mutex_lock (&feed->inbox_lock);
  GArray *items = feed->inbox;
  const bool has_some = items->len > 0;
  if (has_some)
    feed->inbox = feed->spare;
  pthread_mutex_unlock (&feed->inbox_lock);
  if (!has_some)
    return;

  g_autoptr (GString) text = g_string_sized_new (FIRST_BLOCK_BYTES);
  for (guint i = 0; i < items->len; i++)
    take_item (feed, text, &g_array_index (items, FeedItem, i));
  if (items->len > KEPT_ITEMS)
    {
      g_array_unref (items);
      items = vend_feed_inbox_new ();
    }
  g_array_set_size (items, 0);
  feed->spare = items;
}
