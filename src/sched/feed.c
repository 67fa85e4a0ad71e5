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
is_for_later (const Run *run)
{
  return run->sched->draining && run->instance == NULL && run->completion == NULL;
}

static void
follow_on_core (void *data)
{
  g_autofree Following *following = data;
  g_autofree char *id = following->id;
  Run *run = g_hash_table_lookup (following->sched->runs, id);
  if (run != NULL && run->feed == NULL)
    {
      run->feed = vend_feed_new (run->p->created_us);
      if (run->chunks != NULL)
        vend_feed_push_all (run->feed, json_copy (run->chunks));
    }
  if (run != NULL && is_for_later (run))
    vend_feed_break (run->feed);
  following->followed (run != NULL ? run->feed : NULL, following->data);
}

void
vend_sched_follow (VendSched *sched, const char *id, VendSchedFollowed followed, void *data)
{
  Following *following = g_new0 (Following, 1);
  *following = (Following){ sched, g_strdup (id), followed, data };
  vend_inbox_post (sched->inbox, follow_on_core, following);
}

void
vend_run_feed_chunk (Run *run, json_t *chunk)
{
  if (run->feed != NULL)
    vend_feed_push (run->feed, chunk);
}

void
vend_run_feed_end (Run *run)
{
  if (run->feed != NULL)
    vend_feed_finish (run->feed, run->p);
}

void
vend_run_feed_break (Run *run)
{
  if (run->feed != NULL)
    vend_feed_break (run->feed);
}

void
vend_sched_feeds_drain (VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->runs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (is_for_later (value))
      vend_run_feed_break (value);
}
