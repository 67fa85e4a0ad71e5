/* How many clients wait for each run. */
#include "api/openai/followers.h"
#include <pthread.h>

struct VendOpenaiFollowers
{
  pthread_mutex_t lock;
  GHashTable *counts; /* id → number */
};

VendOpenaiFollowers *
vend_openai_followers_new (void)
{
  VendOpenaiFollowers *followers = g_new0 (VendOpenaiFollowers, 1);
  pthread_mutex_init (&followers->lock, NULL);
  followers->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return followers;
}

void
vend_openai_followers_free (VendOpenaiFollowers *followers)
{
  if (followers == NULL)
    return;
  g_hash_table_unref (followers->counts);
  pthread_mutex_destroy (&followers->lock);
  g_free (followers);
}

void
vend_openai_followers_join (VendOpenaiFollowers *followers, const char *id)
{
  pthread_mutex_lock (&followers->lock);
  const guint n = GPOINTER_TO_UINT (g_hash_table_lookup (followers->counts, id));
  g_hash_table_insert (followers->counts, g_strdup (id), GUINT_TO_POINTER (n + 1));
  pthread_mutex_unlock (&followers->lock);
}

bool
vend_openai_followers_leave (VendOpenaiFollowers *followers, const char *id)
{
  pthread_mutex_lock (&followers->lock);
  const guint n = GPOINTER_TO_UINT (g_hash_table_lookup (followers->counts, id));
  if (n > 1)
    g_hash_table_insert (followers->counts, g_strdup (id), GUINT_TO_POINTER (n - 1));
  else
    g_hash_table_remove (followers->counts, id);
  pthread_mutex_unlock (&followers->lock);
  return n == 1;
}
