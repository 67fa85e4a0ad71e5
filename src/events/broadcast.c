/* The broadcast log of one prediction: the writer, and replays. */
#include "events/broadcast.h"
#include "base/clock.h"
#include "events/broadcast-private.h"

/* ---- The writer */

VendBroadcast *
vend_broadcast_new (int64_t created_us)
{
  VendBroadcast *broadcast = g_new0 (VendBroadcast, 1);
  atomic_init (&broadcast->owners, 1);
  broadcast->created_s = created_us / VEND_US_PER_S;
  broadcast->signal = vend_signal_new ();
  pthread_mutex_init (&broadcast->inbox_lock, NULL);
  pthread_mutex_init (&broadcast->log_lock, NULL);
  broadcast->inbox = vend_broadcast_inbox_new ();
  broadcast->spare = vend_broadcast_inbox_new ();
  broadcast->blocks = g_ptr_array_new_with_free_func (vend_broadcast_block_free);
  return broadcast;
}

VendBroadcast *
vend_broadcast_new_as (const VendBroadcastForm *form, void *data)
{
  VendBroadcast *broadcast = vend_broadcast_new (0);
  broadcast->form = form;
  broadcast->form_data = data;
  return broadcast;
}

static void
post (VendBroadcast *broadcast, Item item)
{
  pthread_mutex_lock (&broadcast->inbox_lock);
  g_array_append_val (broadcast->inbox, item);
  pthread_mutex_unlock (&broadcast->inbox_lock);
}

void
vend_broadcast_push (VendBroadcast *broadcast, json_t *chunk)
{
  broadcast->n_pushed++;
  post (broadcast, (Item){ .kind = ITEM_CHUNK, .value = json_incref (chunk) });
  vend_signal_raise (broadcast->signal);
}

void
vend_broadcast_push_all (VendBroadcast *broadcast, json_t *take)
{
  broadcast->n_pushed += json_array_size (take);
  post (broadcast, (Item){ .kind = ITEM_CHUNKS, .value = take });
  vend_signal_raise (broadcast->signal);
}

void
vend_broadcast_finish (VendBroadcast *broadcast, const VendPrediction *ended)
{
  json_t *output = ended->output;
  const bool in_pieces = broadcast->n_pushed > 0 || ended->stream != 0;
  broadcast->finished = true;
  if (json_is_array (output) && in_pieces)
    post (
        broadcast,
        (Item){ .kind = ITEM_CHUNKS, .value = json_incref (output), .from = broadcast->n_pushed });
  else if (output != NULL && !json_is_null (output) && broadcast->n_pushed == 0)
    post (broadcast, (Item){ .kind = ITEM_CHUNK, .value = json_incref (output) });
  VendPrediction *end = vend_prediction_new ();
  end->status = ended->status;
  end->error = g_strdup (ended->error);
  end->error_code = g_strdup (ended->error_code);
  end->metrics = json_incref (ended->metrics);
  post (broadcast, (Item){ .kind = ITEM_END, .ended = end });
  vend_signal_raise (broadcast->signal);
}

void
vend_broadcast_break (VendBroadcast *broadcast)
{
  if (broadcast->finished)
    return;
  post (broadcast, (Item){ .kind = ITEM_BREAK });
  vend_signal_raise (broadcast->signal);
}

VendBroadcast *
vend_broadcast_ref (VendBroadcast *broadcast)
{
  atomic_fetch_add (&broadcast->owners, 1);
  return broadcast;
}

void
vend_broadcast_unref (VendBroadcast *broadcast)
{
  if (broadcast == NULL)
    return;
  VendReplays *replays = broadcast->replays;
  if (replays != NULL)
    pthread_mutex_lock (&replays->lock);
  const bool last = atomic_fetch_sub (&broadcast->owners, 1) == 1;
  if (last && replays != NULL)
    g_hash_table_remove (replays->broadcasts, broadcast->id);
  if (replays != NULL)
    pthread_mutex_unlock (&replays->lock);
  if (!last)
    return;
  vend_signal_unref (broadcast->signal);
  pthread_mutex_destroy (&broadcast->inbox_lock);
  pthread_mutex_destroy (&broadcast->log_lock);
  g_array_unref (broadcast->inbox);
  g_array_unref (broadcast->spare);
  g_ptr_array_unref (broadcast->blocks);
  if (broadcast->form != NULL)
    broadcast->form->free (broadcast->form_data);
  g_free (broadcast->id);
  g_free (broadcast);
}

/* ---- Replays */

VendReplays *
vend_replays_new (void)
{
  VendReplays *replays = g_new0 (VendReplays, 1);
  pthread_mutex_init (&replays->lock, NULL);
  replays->broadcasts = g_hash_table_new (g_str_hash, g_str_equal);
  return replays;
}

void
vend_replays_free (VendReplays *replays)
{
  if (replays == NULL)
    return;
  g_assert (g_hash_table_size (replays->broadcasts) == 0);
  g_hash_table_unref (replays->broadcasts);
  pthread_mutex_destroy (&replays->lock);
  g_free (replays);
}

VendBroadcast *
vend_replays_get (VendReplays *replays, const VendPrediction *ended)
{
  pthread_mutex_lock (&replays->lock);
  VendBroadcast *broadcast = g_hash_table_lookup (replays->broadcasts, ended->id);
  if (broadcast != NULL)
    vend_broadcast_ref (broadcast);
  else
    {
      broadcast = vend_broadcast_new (ended->created_us);
      vend_broadcast_finish (broadcast, ended);
      broadcast->replays = replays;
      broadcast->id = g_strdup (ended->id);
      g_hash_table_insert (replays->broadcasts, broadcast->id, broadcast);
    }
  pthread_mutex_unlock (&replays->lock);
  return broadcast;
}
