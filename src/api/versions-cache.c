/* Versions, parsed once and shared by all requests. jansson counts references atomically, and
 * nobody writes to a cached document. */
#include "api/versions-cache.h"
#include "store/models.h"
#include <pthread.h>

/* A parsed schema takes some 100 kB. */
#define MAX_CACHED 256

struct VendVersionsCache
{
  VendStore *store;
  pthread_mutex_t lock;
  GHashTable *by_key; /* "<model id>:<version>" → VendVersion in an atomic box */
  guint generation;
};

static void
clear_version (void *data)
{
  VendVersion *version = data;
  g_free (version->id);
  g_free (version->cog_version);
  json_decref (version->openapi);
  json_decref (version->launch);
  json_decref (version->manifest);
  g_free (version->source_sha256);
  g_free (version->source);
  g_free (version->base);
  g_free (version->training);
  g_free (version->image);
}

void
vend_shared_version_unref (const VendVersion *version)
{
  if (version != NULL)
    g_atomic_rc_box_release_full ((void *) version, clear_version);
}

static void
unref (void *data)
{
  vend_shared_version_unref (data);
}

VendVersionsCache *
vend_versions_cache_new (VendStore *store)
{
  VendVersionsCache *cache = g_new0 (VendVersionsCache, 1);
  cache->store = store;
  pthread_mutex_init (&cache->lock, NULL);
  cache->by_key = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, unref);
  return cache;
}

void
vend_versions_cache_free (VendVersionsCache *cache)
{
  if (cache == NULL)
    return;
  g_hash_table_unref (cache->by_key);
  pthread_mutex_destroy (&cache->lock);
  g_free (cache);
}

void
vend_versions_cache_forget (VendVersionsCache *cache)
{
  pthread_mutex_lock (&cache->lock);
  cache->generation++;
  g_hash_table_remove_all (cache->by_key);
  pthread_mutex_unlock (&cache->lock);
}

static void
remember (VendVersionsCache *cache, const char *key, VendVersion *shared, guint generation)
{
  pthread_mutex_lock (&cache->lock);
  if (g_hash_table_size (cache->by_key) >= MAX_CACHED)
    g_hash_table_remove_all (cache->by_key);
  if (cache->generation == generation)
    g_hash_table_replace (cache->by_key, g_strdup (key), g_atomic_rc_box_acquire (shared));
  pthread_mutex_unlock (&cache->lock);
}

bool
vend_versions_cache_get (VendVersionsCache *cache, VendDb *db, int64_t model_id, const char *id,
                         const VendVersion **out, GError **error)
{
  g_autofree char *key = g_strdup_printf ("%" G_GINT64_FORMAT ":%s", model_id, id);
  pthread_mutex_lock (&cache->lock);
  guint generation = cache->generation;
  VendVersion *found = g_hash_table_lookup (cache->by_key, key);
  if (found != NULL)
    g_atomic_rc_box_acquire (found);
  pthread_mutex_unlock (&cache->lock);

  if (found == NULL)
    {
      g_autoptr (VendVersion) loaded = NULL;
      if (!vend_store_version_get (db, model_id, id, &loaded, error))
        return false;
      /* The document is large, and what shows it reads it from the store. */
      json_decref (g_steal_pointer (&loaded->manifest));
      found = g_atomic_rc_box_dup (sizeof *loaded, loaded);
      g_free (g_steal_pointer (&loaded)); /* its members have moved */
      remember (cache, key, found, generation);
    }
  *out = found;
  return true;
}
