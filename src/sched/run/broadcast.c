/* Followers of a run's events. Core thread, which only passes values on; see events/broadcast.h. */
#include "sched/run/run.h"

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
  if (run != NULL && run->broadcast == NULL)
    {
      run->broadcast = vend_broadcast_new (run->p->created_us);
      if (run->chunks != NULL)
        vend_broadcast_push_all (run->broadcast, json_copy (run->chunks));
    }
  if (run != NULL && is_for_later (run))
    vend_broadcast_break (run->broadcast);
  following->followed (run != NULL ? run->broadcast : NULL, following->data);
}

void
vend_sched_follow (VendSched *sched, const char *id, VendSchedFollowed followed, void *data)
{
  Following *following = g_new0 (Following, 1);
  *following = (Following){ sched, g_strdup (id), followed, data };
  vend_inbox_post (sched->inbox, follow_on_core, following);
}

void
vend_run_broadcast_chunk (Run *run, json_t *chunk)
{
  if (run->broadcast != NULL)
    vend_broadcast_push (run->broadcast, chunk);
}

void
vend_run_broadcast_end (Run *run)
{
  if (run->broadcast != NULL)
    vend_broadcast_finish (run->broadcast, run->p);
}

void
vend_run_break_broadcast (Run *run)
{
  if (run->broadcast != NULL)
    vend_broadcast_break (run->broadcast);
}

void
vend_sched_drain_broadcasts (VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->runs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (is_for_later (value))
      vend_run_break_broadcast (value);
}
