/* Ends of runs that the control plane has not acknowledged. Main context. */
#include "director/results.h"
#include "base/log.h"
#include "runner/journal.h"

/* While a control plane is connected, an acknowledgement within this saves two fsyncs. It has to
 * outlast a commit of the control plane on a slow and busy disk: journals that come before it
 * compete with the commit they wait for. */
#define LAZY_MS 100
#define REMEMBERED 256 /* keys of acknowledged results: a late repeat of their run is ignored */

typedef struct
{
  VendResults *results;
  char *key;
  json_t *frame; /* NULL once it is durable */
  guint timer;   /* 0: has been given to the journal */
} Result;

struct VendResults
{
  char *dir;
  VendJournal *journal;
  bool connected;
  GHashTable *pending;   /* key -> Result */
  GHashTable *forgotten; /* keys; the queue owns them */
  GQueue *forgotten_order;
};

static void
result_free (void *data)
{
  Result *result = data;
  if (result->timer != 0)
    g_source_remove (result->timer);
  json_decref (result->frame);
  g_free (result->key);
  g_free (result);
}

static Result *
add_result (VendResults *results, const char *key, json_t *frame)
{
  Result *result = g_new0 (Result, 1);
  result->results = results;
  result->key = g_strdup (key);
  result->frame = frame;
  g_hash_table_replace (results->pending, result->key, result);
  return result;
}

static void
on_written (const char *key, const GError *error, void *data)
{
  VendResults *results = data;
  Result *result = g_hash_table_lookup (results->pending, key);
  if (result != NULL && error == NULL)
    g_clear_pointer (&result->frame, json_decref);
}

static void
on_found (const char *key, json_t *completed, void *data)
{
  add_result (data, key, NULL);
}

bool
vend_results_open (const char *dir, VendResults **out, GError **error)
{
  g_autoptr (VendResults) results = g_new0 (VendResults, 1);
  results->dir = g_strdup (dir);
  results->pending = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, result_free);
  results->forgotten = g_hash_table_new (g_str_hash, g_str_equal);
  results->forgotten_order = g_queue_new ();
  if (!vend_journal_open (dir, g_main_context_default (), on_written, results, &results->journal,
                          error)
      || !vend_journal_scan (dir, on_found, results, error))
    return false;
  *out = g_steal_pointer (&results);
  return true;
}

static gboolean
on_not_acknowledged (void *user_data)
{
  Result *result = user_data;
  result->timer = 0;
  vend_journal_write (result->results->journal, result->key, result->frame);
  return G_SOURCE_REMOVE;
}

static void
journal_pending (VendResults *results)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, results->pending);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Result *result = value;
      if (result->timer == 0)
        continue;
      g_source_remove (result->timer);
      (void) on_not_acknowledged (result);
    }
}

void
vend_results_set_connected (VendResults *results, bool connected)
{
  results->connected = connected;
  if (!connected)
    journal_pending (results);
}

void
vend_results_free (VendResults *results)
{
  if (results == NULL)
    return;
  journal_pending (results);
  vend_journal_free (results->journal);
  g_hash_table_unref (results->pending);
  g_hash_table_unref (results->forgotten);
  g_queue_free_full (results->forgotten_order, g_free);
  g_free (results->dir);
  g_free (results);
}

void
vend_results_add (VendResults *results, const char *key, json_t *completed)
{
  Result *result = add_result (results, key, completed);
  if (results->connected)
    result->timer = g_timeout_add (LAZY_MS, on_not_acknowledged, result);
  else
    vend_journal_write (results->journal, key, completed);
}

static void
remember (VendResults *results, const char *key)
{
  char *copy = g_strdup (key);
  g_queue_push_tail (results->forgotten_order, copy);
  g_hash_table_add (results->forgotten, copy);
  if (results->forgotten_order->length <= REMEMBERED)
    return;
  g_autofree char *oldest = g_queue_pop_head (results->forgotten_order);
  g_hash_table_remove (results->forgotten, oldest);
}

void
vend_results_acknowledge (VendResults *results, const char *key)
{
  const Result *result = g_hash_table_lookup (results->pending, key);
  if (result == NULL)
    return;
  if (result->timer == 0)
    vend_journal_remove (results->journal, key);
  remember (results, key);
  g_hash_table_remove (results->pending, key);
}

bool
vend_results_has (const VendResults *results, const char *key)
{
  return g_hash_table_contains (results->pending, key)
         || g_hash_table_contains (results->forgotten, key);
}

guint
vend_results_count (const VendResults *results)
{
  return g_hash_table_size (results->pending);
}

GPtrArray *
vend_results_list (const VendResults *results)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  void *key;
  g_hash_table_iter_init (&iter, results->pending);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_ptr_array_add (keys, g_strdup (key));
  return keys;
}

json_t *
vend_results_dup_frame (VendResults *results, const char *key)
{
  const Result *result = g_hash_table_lookup (results->pending, key);
  json_t *frame = NULL;
  g_autoptr (GError) error = NULL;
  if (result == NULL)
    return NULL;
  if (result->frame != NULL)
    return json_incref (result->frame);
  if (!vend_journal_read (results->dir, key, &frame, &error))
    vend_log (VEND_LOG_ERROR, "journal entry not readable", "key", key, "error", error->message,
              NULL);
  return frame;
}
