/* Recent log lines, and the number of their repeats. */
#include "base/log-repeats.h"
#include "base/log.h"

typedef struct
{
  char *line;
  int64_t written_us;
  guint64 left_out;
  GList by_time; /* in VendLogRepeats.by_time */
} Entry;

struct VendLogRepeats
{
  GHashTable *entries; /* line → Entry */
  GQueue by_time;      /* the oldest write at the head */
};

static void
entry_free (void *data)
{
  Entry *entry = data;
  g_free (entry->line);
  g_free (entry);
}

VendLogRepeats *
vend_log_repeats_new (void)
{
  VendLogRepeats *repeats = g_new0 (VendLogRepeats, 1);
  repeats->entries = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, entry_free);
  return repeats;
}

void
vend_log_repeats_free (VendLogRepeats *repeats)
{
  if (repeats == NULL)
    return;
  g_hash_table_unref (repeats->entries);
  g_free (repeats);
}

static void
forget (VendLogRepeats *repeats, Entry *entry)
{
  g_queue_unlink (&repeats->by_time, &entry->by_time);
  g_hash_table_remove (repeats->entries, entry->line);
}

/* Removes an entry, if possible one without repeats: its line may then be written once more. */
static void
make_room (VendLogRepeats *repeats)
{
  if (repeats->by_time.length < VEND_LOG_REPEATS_MAX)
    return;
  GList *link = repeats->by_time.head;
  while (link != NULL && ((const Entry *) link->data)->left_out > 0)
    link = link->next;
  forget (repeats, (link != NULL ? link : repeats->by_time.head)->data);
}

bool
vend_log_repeats_pass (VendLogRepeats *repeats, const char *line, int64_t now_us,
                       guint64 *out_left_out)
{
  Entry *entry = g_hash_table_lookup (repeats->entries, line);
  if (entry != NULL && now_us - entry->written_us < VEND_LOG_REPEAT_US)
    {
      entry->left_out++;
      return false;
    }
  *out_left_out = entry != NULL ? entry->left_out : 0;
  if (entry != NULL)
    forget (repeats, entry);
  make_room (repeats);
  entry = g_new0 (Entry, 1);
  *entry = (Entry){ .line = g_strdup (line), .written_us = now_us };
  entry->by_time.data = entry;
  g_queue_push_tail_link (&repeats->by_time, &entry->by_time);
  g_hash_table_insert (repeats->entries, entry->line, entry);
  return true;
}

char *
vend_log_repeats_due (VendLogRepeats *repeats, int64_t now_us, bool all, guint64 *out_left_out)
{
  for (GList *link = repeats->by_time.head; link != NULL; link = link->next)
    {
      Entry *entry = link->data;
      if (!all && now_us - entry->written_us < VEND_LOG_REPEAT_US)
        return NULL;
      if (entry->left_out == 0)
        continue;
      char *line = g_strdup (entry->line);
      *out_left_out = entry->left_out;
      forget (repeats, entry);
      return line;
    }
  return NULL;
}
