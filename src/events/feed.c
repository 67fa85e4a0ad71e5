/* The event log of one prediction: the side that writes, and replays. */
#include "events/feed.h"
#include "base/clock.h"
#include "events/feed-private.h"

/* ---- The writer */

VendFeed *
vend_feed_new (int64_t created_us)
{
  VendFeed *feed = g_new0 (VendFeed, 1);
  atomic_init (&feed->owners, 1);
  feed->created_s = created_us / VEND_US_PER_S;
  feed->signal = vend_signal_new ();
  pthread_mutex_init (&feed->inbox_lock, NULL);
  pthread_mutex_init (&feed->log_lock, NULL);
  feed->inbox = vend_feed_inbox_new ();
  feed->spare = vend_feed_inbox_new ();
  feed->blocks = g_ptr_array_new_with_free_func (vend_feed_block_free);
  return feed;
}

static void
post (VendFeed *feed, FeedItem item)
{
  pthread_mutex_lock (&feed->inbox_lock);
  g_array_append_val (feed->inbox, item);
  pthread_mutex_unlock (&feed->inbox_lock);
}

void
vend_feed_push (VendFeed *feed, json_t *chunk)
{
  feed->n_pushed++;
  post (feed, (FeedItem){ .kind = ITEM_CHUNK, .value = json_incref (chunk) });
  vend_signal_raise (feed->signal);
}

void
vend_feed_push_all (VendFeed *feed, json_t *take)
{
  feed->n_pushed += json_array_size (take);
  post (feed, (FeedItem){ .kind = ITEM_CHUNKS, .value = take });
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
          (FeedItem){ .kind = ITEM_CHUNKS, .value = json_incref (output), .from = feed->n_pushed });
  else if (output != NULL && !json_is_null (output) && feed->n_pushed == 0)
    post (feed, (FeedItem){ .kind = ITEM_CHUNK, .value = json_incref (output) });
  post (feed,
        (FeedItem){ .kind = ITEM_END, .status = ended->status, .error = g_strdup (ended->error) });
  vend_signal_raise (feed->signal);
}

void
vend_feed_break (VendFeed *feed)
{
  if (feed->finished)
    return;
  post (feed, (FeedItem){ .kind = ITEM_BREAK });
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
  g_array_unref (feed->spare);
  g_ptr_array_unref (feed->blocks);
  g_free (feed->id);
  g_free (feed);
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
