/* Followers of a run's events. Core thread, which only passes values on; see events/broadcast.h. */
#include "sched/run/run.h"

typedef struct
{
  VendSched *sched;
  char *id;
  VendBroadcast *own; /* or NULL: the log of all followers */
  VendSchedFollowed followed;
  void *data;
} Following;

static bool
is_for_later (const Run *run)
{
  return run->sched->draining && run->instance == NULL && run->completion == NULL;
}

static void
unref_log (void *log)
{
  vend_broadcast_unref (log);
}

static VendBroadcast *
join_log (Run *run, VendBroadcast *own)
{
  if (own == NULL && run->broadcast != NULL)
    return run->broadcast;
  VendBroadcast *log
      = own != NULL ? vend_broadcast_ref (own) : vend_broadcast_new (run->p->created_us);
  if (run->chunks != NULL)
    vend_broadcast_push_all (log, json_copy (run->chunks));
  if (own == NULL)
    return run->broadcast = log;
  if (run->own_logs == NULL)
    run->own_logs = g_ptr_array_new_with_free_func (unref_log);
  g_ptr_array_add (run->own_logs, log);
  return log;
}

static void
follow_on_core (void *data)
{
  g_autofree Following *following = data;
  g_autofree char *id = following->id;
  g_autoptr (VendBroadcast) own = following->own;
  Run *run = g_hash_table_lookup (following->sched->runs, id);
  VendBroadcast *log = run != NULL ? join_log (run, own) : NULL;
  if (run != NULL && is_for_later (run))
    vend_broadcast_break (log);
  following->followed (log, following->data);
}

void
vend_sched_follow (VendSched *sched, const char *id, VendSchedFollowed followed, void *data)
{
  vend_sched_follow_as (sched, id, NULL, followed, data);
}

void
vend_sched_follow_as (VendSched *sched, const char *id, VendBroadcast *take,
                      VendSchedFollowed followed, void *data)
{
  Following *following = g_new0 (Following, 1);
  *following = (Following){ sched, g_strdup (id), take, followed, data };
  vend_inbox_post (sched->inbox, follow_on_core, following);
}

void
vend_run_broadcast_chunk (Run *run, json_t *chunk)
{
  if (run->broadcast != NULL)
    vend_broadcast_push (run->broadcast, chunk);
  for (guint i = 0; run->own_logs != NULL && i < run->own_logs->len; i++)
    vend_broadcast_push (g_ptr_array_index (run->own_logs, i), chunk);
}

void
vend_run_broadcast_end (Run *run)
{
  if (run->broadcast != NULL)
    vend_broadcast_finish (run->broadcast, run->p);
  for (guint i = 0; run->own_logs != NULL && i < run->own_logs->len; i++)
    vend_broadcast_finish (g_ptr_array_index (run->own_logs, i), run->p);
}

void
vend_run_break_broadcast (Run *run)
{
  if (run->broadcast != NULL)
    vend_broadcast_break (run->broadcast);
  for (guint i = 0; run->own_logs != NULL && i < run->own_logs->len; i++)
    vend_broadcast_break (g_ptr_array_index (run->own_logs, i));
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
