/* Ids of stored predictions that have not ended. */
#include "sched/run/open-ids.h"

struct VendOpenIds
{
  GMutex lock;
  GHashTable *ids; /* owned texts */
};

VendOpenIds *
vend_open_ids_new (void)
{
  VendOpenIds *ids = g_new0 (VendOpenIds, 1);
  g_mutex_init (&ids->lock);
  ids->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return ids;
}

void
vend_open_ids_free (VendOpenIds *ids)
{
  if (ids == NULL)
    return;
  g_hash_table_unref (ids->ids);
  g_mutex_clear (&ids->lock);
  g_free (ids);
}

void
vend_open_ids_add (VendOpenIds *ids, const char *id)
{
  g_mutex_lock (&ids->lock);
  g_hash_table_add (ids->ids, g_strdup (id));
  g_mutex_unlock (&ids->lock);
}

void
vend_open_ids_remove (VendOpenIds *ids, const char *id)
{
  g_mutex_lock (&ids->lock);
  g_hash_table_remove (ids->ids, id);
  g_mutex_unlock (&ids->lock);
}

bool
vend_open_ids_has (VendOpenIds *ids, const char *id)
{
  g_mutex_lock (&ids->lock);
  const bool found = g_hash_table_contains (ids->ids, id);
  g_mutex_unlock (&ids->lock);
  return found;
}
