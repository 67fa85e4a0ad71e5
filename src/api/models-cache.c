/* A cache of models as a create needs them. An entry holds for the count of changes that the store
 * had before its row was read: the next change ends all entries. */
#include "api/models-cache.h"
#include "store/models.h"
#include <pthread.h>

#define MAX_CACHED 4096

struct VendModelsCache
{
  VendStore *store;
  pthread_mutex_t lock;
  GHashTable *by_key; /* of VendModel */
  uint64_t changes;   /* of the store, for all entries */
};

static void
free_model (void *data)
{
  vend_model_free (data);
}

VendModelsCache *
vend_models_cache_new (VendStore *store)
{
  VendModelsCache *cache = g_new0 (VendModelsCache, 1);
  cache->store = store;
  pthread_mutex_init (&cache->lock, NULL);
  cache->by_key = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_model);
  return cache;
}

void
vend_models_cache_free (VendModelsCache *cache)
{
  if (cache == NULL)
    return;
  g_hash_table_unref (cache->by_key);
  pthread_mutex_destroy (&cache->lock);
  g_free (cache);
}

static VendModel *
short_copy (const VendModel *model)
{
  VendModel *copy = vend_model_new ();
  copy->id = model->id;
  copy->account_id = model->account_id;
  copy->owner = g_strdup (model->owner);
  copy->name = g_strdup (model->name);
  copy->is_private = model->is_private;
  g_free (copy->hardware);
  copy->hardware = g_strdup (model->hardware);
  copy->latest_version = g_strdup (model->latest_version);
  return copy;
}

static VendModel *
look_up (VendModelsCache *cache, const char *key)
{
  const uint64_t now = vend_store_model_changes (cache->store);
  pthread_mutex_lock (&cache->lock);
  const VendModel *found = cache->changes == now ? g_hash_table_lookup (cache->by_key, key) : NULL;
  VendModel *copy = found != NULL ? short_copy (found) : NULL;
  pthread_mutex_unlock (&cache->lock);
  return copy;
}

/* `changes`: before the snapshot that `model` was read from. */
static void
remember (VendModelsCache *cache, const char *key, const VendModel *model, uint64_t changes)
{
  pthread_mutex_lock (&cache->lock);
  if (changes > cache->changes || g_hash_table_size (cache->by_key) >= MAX_CACHED)
    {
      g_hash_table_remove_all (cache->by_key);
      cache->changes = MAX (changes, cache->changes);
    }
  if (changes == cache->changes)
    g_hash_table_replace (cache->by_key, g_strdup (key), short_copy (model));
  pthread_mutex_unlock (&cache->lock);
}

bool
vend_models_cache_by_version (VendModelsCache *cache, VendDb *db, const char *version,
                              int64_t account_id, VendModel **out, GError **error)
{
  g_autofree char *key = g_strdup_printf ("%" G_GINT64_FORMAT ":%s", account_id, version);
  *out = look_up (cache, key);
  if (*out != NULL)
    return true;
  if (!vend_store_model_by_version (db, version, account_id, out, error))
    return false;
  remember (cache, key, *out, db->model_changes);
  return true;
}

bool
vend_models_cache_by_name (VendModelsCache *cache, VendDb *db, const char *owner, const char *name,
                           VendModel **out, GError **error)
{
  g_autofree char *key = g_strconcat (owner, "/", name, NULL);
  *out = look_up (cache, key);
  if (*out != NULL)
    return true;
  if (!vend_store_model_by_name (db, owner, name, out, error))
    return false;
  remember (cache, key, *out, db->model_changes);
  return true;
}
