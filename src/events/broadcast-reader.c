/* Readers of a broadcast log, each with its own place. The thread of the reader's connection. */
#include "events/broadcast-private.h"
#include "events/format.h"
#include <stdatomic.h>
#include <string.h>

/* Readers of all broadcasts, for metrics. */
static atomic_uint n_open;

typedef struct
{
  VendBroadcast *broadcast;
  char *origin;
  gsize origin_size;
  guint64 after; /* last event seen; until placed */
  bool placed;
  guint block;
  gsize offset;
  guint mark;
  gsize origin_sent; /* of the mark at `offset` */
  bool over;         /* was told the end, or that the log broke */
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

/* Finds the reader's place. A reader that is ahead of the log (after a restart of the server) waits
 * until the log has caught up, or gets the end. False: not yet. */
static bool
place (Reader *reader)
{
  const VendBroadcast *broadcast = reader->broadcast;
  if (broadcast->ended)
    reader->after = reader->after > broadcast->n_events ? broadcast->n_outputs : reader->after;
  else if (reader->after > broadcast->n_events)
    return false;
  while (reader->block + 1 < broadcast->blocks->len
         && ((Block *) g_ptr_array_index (broadcast->blocks, reader->block + 1))->before
                <= reader->after)
    reader->block++;
  if (reader->block < broadcast->blocks->len)
    {
      const Block *block = g_ptr_array_index (broadcast->blocks, reader->block);
      reader->offset = skip_events (block, reader->after - block->before);
      while (block->marks != NULL && reader->mark < block->marks->len
             && g_array_index (block->marks, gsize, reader->mark) < reader->offset)
        reader->mark++;
    }
  return reader->placed = true;
}

/* Copies up to `room` bytes of the reader's block. */
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
  if (reader->offset < block->size || reader->block + 1 >= reader->broadcast->blocks->len)
    return false;
  reader->block++;
  reader->offset = 0;
  reader->mark = 0;
  return true;
}

static gssize
read_log (Reader *reader, char *buffer, gsize room)
{
  const VendBroadcast *broadcast = reader->broadcast;
  gsize n = 0;
  if (reader->placed || place (reader))
    while (n < room && reader->block < broadcast->blocks->len)
      {
        const Block *block = g_ptr_array_index (broadcast->blocks, reader->block);
        const gsize some = copy_some (reader, block, buffer + n, room - n);
        n += some;
        if (some == 0 && !next_block (reader, block))
          break;
      }
  if (n > 0)
    return (gssize) n;
  return broadcast->ended ? VEND_PULL_END : broadcast->broken ? VEND_PULL_BREAK : 0;
}

static gssize
reader_read (void *data, char *buffer, gsize room)
{
  Reader *reader = data;
  pthread_mutex_lock (&reader->broadcast->log_lock);
  vend_broadcast_take_in (reader->broadcast);
  const gssize n = read_log (reader, buffer, room);
  reader->over = reader->over || n < 0;
  pthread_mutex_unlock (&reader->broadcast->log_lock);
  return n;
}

static bool
reader_is_slow (void *data)
{
  Reader *reader = data;
  VendBroadcast *broadcast = reader->broadcast;
  pthread_mutex_lock (&broadcast->log_lock);
  vend_broadcast_take_in (broadcast);
  const Block *block = reader->block < broadcast->blocks->len
                           ? g_ptr_array_index (broadcast->blocks, reader->block)
                           : NULL;
  const gsize at = block != NULL ? block->start + reader->offset : 0;
  const bool slow = broadcast->size - at > VEND_BROADCAST_BEHIND_BYTES;
  pthread_mutex_unlock (&broadcast->log_lock);
  return slow;
}

static void
reader_free (void *data)
{
  Reader *reader = data;
  const VendBroadcast *broadcast = reader->broadcast;
  atomic_fetch_sub (&n_open, 1);
  if (broadcast->form != NULL && !reader->over)
    broadcast->form->left (broadcast->form_data);
  vend_broadcast_unref (reader->broadcast);
  g_free (reader->origin);
  g_free (reader);
}

static const VendPullFuncs reader_funcs
    = { reader_read, reader_is_slow, reader_free, VEND_EVENTS_KEEP_ALIVE, false };

/* Of a form: somebody waits for the end of its reader. */
static const VendPullFuncs own_reader_funcs
    = { reader_read, reader_is_slow, reader_free, VEND_EVENTS_KEEP_ALIVE, true };

guint
vend_broadcast_open_readers (void)
{
  return atomic_load (&n_open);
}

VendReply *
vend_broadcast_reply (VendBroadcast *broadcast, guint64 after, const char *origin)
{
  Reader *reader = g_new0 (Reader, 1);
  atomic_fetch_add (&n_open, 1);
  reader->broadcast = vend_broadcast_ref (broadcast);
  reader->origin = g_strdup (origin);
  reader->origin_size = strlen (origin);
  reader->after = after;
  VendReply *reply
      = vend_reply_pull (200, "text/event-stream", broadcast->signal,
                         broadcast->form != NULL ? &own_reader_funcs : &reader_funcs, reader);
  vend_reply_header (reply, "Cache-Control", "no-store");
  /* A proxy that buffers would undo the stream. */
  vend_reply_header (reply, "X-Accel-Buffering", "no");
  return reply;
}

bool
vend_broadcast_is_read (VendBroadcast *broadcast, guint64 after)
{
  pthread_mutex_lock (&broadcast->log_lock);
  vend_broadcast_take_in (broadcast);
  const bool is_read = broadcast->ended && after == broadcast->n_events;
  pthread_mutex_unlock (&broadcast->log_lock);
  return is_read;
}
