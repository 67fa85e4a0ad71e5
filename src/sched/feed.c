/* Those who follow the events of a prediction that has not ended. Core thread, which only passes
 * values on; see events/feed.h. */
#include "sched/core-private.h"

typedef struct
{
  VendSched *sched;
  char *id;
  VendSchedFollowed followed;
  void *data;
} Following;

static bool
is_for_later (const Live *live)
{
  return live->sched->draining && live->instance == NULL && live->completion == NULL;
}

static void
follow_on_core (void *data)
{
  g_autofree Following *following = data;
  g_autofree char *id = following->id;
  Live *live = g_hash_table_lookup (following->sched->live, id);
  if (live != NULL && live->feed == NULL)
    {
      live->feed = vend_feed_new (live->p->created_us);
      if (live->chunks != NULL)
        vend_feed_push_all (live->feed, json_copy (live->chunks));
    }
  if (live != NULL && is_for_later (live))
    vend_feed_break (live->feed);
  following->followed (live != NULL ? live->feed : NULL, following->data);
}

void
vend_sched_follow (VendSched *sched, const char *id, VendSchedFollowed followed, void *data)
{
  Following *following = g_new0 (Following, 1);
  *following = (Following){ sched, g_strdup (id), followed, data };
  vend_inbox_post (sched->inbox, follow_on_core, following);
}

void
vend_live_feed_chunk (Live *live, json_t *chunk)
{
  if (live->feed != NULL)
    vend_feed_push (live->feed, chunk);
}

void
vend_live_feed_end (Live *live)
{
  if (live->feed != NULL)
    vend_feed_finish (live->feed, live->p);
}

void
vend_live_feed_break (Live *live)
{
  if (live->feed != NULL)
    vend_feed_break (live->feed);
}

void
vend_sched_feeds_drain (VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->live);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (is_for_later (value))
      vend_live_feed_break (value);
}
