/* How many clients wait for each run. */
#include "api/openai/followers.h"
#include <pthread.h>

struct VendOpenaiFollowers
{
  pthread_mutex_t lock;
  GHashTable *counts;  /* id → number */
  GHashTable *leaving; /* id → time at which it is deserted */
};

VendOpenaiFollowers *
vend_openai_followers_new (void)
{
  VendOpenaiFollowers *followers = g_new0 (VendOpenaiFollowers, 1);
  pthread_mutex_init (&followers->lock, NULL);
  followers->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  followers->leaving = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return followers;
}

void
vend_openai_followers_free (VendOpenaiFollowers *followers)
{
  if (followers == NULL)
    return;
  g_hash_table_unref (followers->counts);
  g_hash_table_unref (followers->leaving);
  pthread_mutex_destroy (&followers->lock);
  g_free (followers);
}

void
vend_openai_followers_join (VendOpenaiFollowers *followers, const char *id)
{
  pthread_mutex_lock (&followers->lock);
  const guint n = GPOINTER_TO_UINT (g_hash_table_lookup (followers->counts, id));
  g_hash_table_insert (followers->counts, g_strdup (id), GUINT_TO_POINTER (n + 1));
  g_hash_table_remove (followers->leaving, id);
  pthread_mutex_unlock (&followers->lock);
}

/* Under the lock. */
static bool
leave (VendOpenaiFollowers *followers, const char *id)
{
  const guint n = GPOINTER_TO_UINT (g_hash_table_lookup (followers->counts, id));
  if (n > 1)
    g_hash_table_insert (followers->counts, g_strdup (id), GUINT_TO_POINTER (n - 1));
  else
    g_hash_table_remove (followers->counts, id);
  return n == 1;
}

bool
vend_openai_followers_leave (VendOpenaiFollowers *followers, const char *id)
{
  pthread_mutex_lock (&followers->lock);
  const bool was_last = leave (followers, id);
  pthread_mutex_unlock (&followers->lock);
  return was_last;
}

void
vend_openai_followers_leave_until (VendOpenaiFollowers *followers, const char *id, int64_t due_us)
{
  pthread_mutex_lock (&followers->lock);
  if (leave (followers, id))
    g_hash_table_insert (followers->leaving, g_strdup (id), g_memdup2 (&due_us, sizeof due_us));
  pthread_mutex_unlock (&followers->lock);
}

GPtrArray *
vend_openai_followers_take_deserted (VendOpenaiFollowers *followers, int64_t now_us)
{
  GPtrArray *deserted = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  void *id, *due_us;
  pthread_mutex_lock (&followers->lock);
  g_hash_table_iter_init (&iter, followers->leaving);
  while (g_hash_table_iter_next (&iter, &id, &due_us))
    if (*(int64_t *) due_us <= now_us)
      {
        g_ptr_array_add (deserted, g_strdup (id));
        g_hash_table_iter_remove (&iter);
      }
  pthread_mutex_unlock (&followers->lock);
  return deserted;
}
