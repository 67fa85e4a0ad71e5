/* Formats chunks of output as bytes of events. HTTP threads, with `log_lock`. */
#include "base/id.h"
#include "events/broadcast-private.h"
#include "events/format.h"
#include <string.h>

#define FIRST_BLOCK_BYTES ((gsize) 1024)
#define BLOCK_BYTES ((gsize) 16 * 1024)
#define OUTPUT_SCHEME "vend-output:"
#define KEPT_ITEMS 256 /* a longer inbox is freed */

void
vend_broadcast_block_free (void *data)
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
  vend_prediction_free (item->ended);
}

GArray *
vend_broadcast_inbox_new (void)
{
  GArray *inbox = g_array_new (FALSE, FALSE, sizeof (Item));
  g_array_set_clear_func (inbox, clear_item);
  return inbox;
}

/* Placeholder of the origin until it is cut out; unknown to models. */
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
block_with_room (VendBroadcast *broadcast, gsize size)
{
  Block *block = broadcast->blocks->len > 0
                     ? g_ptr_array_index (broadcast->blocks, broadcast->blocks->len - 1)
                     : NULL;
  if (block != NULL && block->capacity - block->size >= size)
    return block;
  gsize capacity = MAX (size, block == NULL ? FIRST_BLOCK_BYTES : BLOCK_BYTES);
  block = g_malloc (sizeof *block + capacity);
  *block
      = (Block){ .start = broadcast->size, .before = broadcast->n_outputs, .capacity = capacity };
  g_ptr_array_add (broadcast->blocks, block);
  return block;
}

static void
append_events (VendBroadcast *broadcast, const GString *text, bool marked)
{
  Block *block = block_with_room (broadcast, text->len);
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
  broadcast->size = block->start + block->size;
}

/* What a form appends at once counts as one event: its reader begins with the first. */
static void
append_formed (VendBroadcast *broadcast, const GString *text)
{
  append_events (broadcast, text, false);
  broadcast->n_events = ++broadcast->n_outputs;
}

static void
add_formed (VendBroadcast *broadcast, GString *text, const json_t *value,
            const VendPrediction *ended)
{
  const VendBroadcastForm *form = broadcast->form;
  g_string_truncate (text, 0);
  if (ended != NULL)
    form->end (broadcast->form_data, text, ended);
  else
    form->chunk (broadcast->form_data, text, value);
  append_formed (broadcast, text);
  broadcast->ended = ended != NULL;
}

static void
begin_form (VendBroadcast *broadcast)
{
  g_autoptr (GString) text = g_string_new (NULL);
  broadcast->begun = true;
  broadcast->form->begin (broadcast->form_data, text);
  append_formed (broadcast, text);
}

static void
add_output (VendBroadcast *broadcast, GString *text, json_t *value)
{
  if (broadcast->form != NULL)
    {
      add_formed (broadcast, text, value, NULL);
      return;
    }
  const bool marked = has_urls (value);
  json_auto_t *shown
      = marked ? vend_output_with_urls (value, origin_marker ()) : json_incref (value);
  guint64 n = broadcast->n_outputs;
  g_string_truncate (text, 0);
  vend_event_output (text, broadcast->created_s, &n, shown);
  append_events (broadcast, text, marked);
  broadcast->n_events = broadcast->n_outputs = n;
}

static void
add_end (VendBroadcast *broadcast, GString *text, const VendPrediction *ended)
{
  const char *reason = ended->status == VEND_STATUS_SUCCEEDED ? NULL
                       : ended->status == VEND_STATUS_FAILED  ? "error"
                                                              : "canceled";
  if (broadcast->form != NULL)
    {
      add_formed (broadcast, text, NULL, ended);
      return;
    }
  g_string_truncate (text, 0);
  if (ended->status == VEND_STATUS_FAILED)
    vend_event_error (text, broadcast->created_s, &broadcast->n_events,
                      ended->error != NULL ? ended->error : "");
  vend_event_done (text, broadcast->created_s, &broadcast->n_events, reason);
  append_events (broadcast, text, false);
  broadcast->ended = true;
}

static void
take_item (VendBroadcast *broadcast, GString *text, const Item *item)
{
  size_t i;
  json_t *value;
  if (item->kind == ITEM_CHUNK)
    add_output (broadcast, text, item->value);
  else if (item->kind == ITEM_CHUNKS)
    for (i = item->from; (value = json_array_get (item->value, i)) != NULL; i++)
      add_output (broadcast, text, value);
  else if (item->kind == ITEM_END)
    add_end (broadcast, text, item->ended);
  else
    broadcast->broken = true;
}

void
vend_broadcast_take_in (VendBroadcast *broadcast)
{
  if (broadcast->form != NULL && !broadcast->begun)
    begin_form (broadcast);
  pthread_mutex_lock (&broadcast->inbox_lock);
  GArray *items = broadcast->inbox;
  const bool has_some = items->len > 0;
  if (has_some)
    broadcast->inbox = broadcast->spare;
  pthread_mutex_unlock (&broadcast->inbox_lock);
  if (!has_some)
    return;

  g_autoptr (GString) text = g_string_sized_new (FIRST_BLOCK_BYTES);
  for (guint i = 0; i < items->len; i++)
    take_item (broadcast, text, &g_array_index (items, Item, i));
  if (items->len > KEPT_ITEMS)
    {
      g_array_unref (items);
      items = vend_broadcast_inbox_new ();
    }
  g_array_set_size (items, 0);
  broadcast->spare = items;
}
