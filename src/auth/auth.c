/* Authentication: tokens to callers, with a cache in front of the store. */
#include "auth/auth.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "store/accounts.h"
#include <pthread.h>
#include <string.h>

#define MAX_CACHED 10000
#define MAX_TOKEN_LENGTH 256
/* `last_used_at` is for people who clean up; a minute is fine enough, and keeps writes rare. */
#define USED_INTERVAL_US (60 * VEND_US_PER_S)

typedef struct
{
  VendCaller *caller;
  int64_t used_us;
} Entry;

struct VendAuth
{
  VendStore *store;
  pthread_mutex_t lock;
  GHashTable *by_hash; /* char * → Entry */
  guint generation;    /* grows when the cache is emptied, so that a slow load cannot bring back */
};

static void
clear_caller (void *data)
{
  VendCaller *caller = data;
  vend_account_free (caller->account);
  g_free (caller->token_id);
}

void
vend_auth_caller_unref (VendCaller *caller)
{
  if (caller != NULL)
    g_atomic_rc_box_release_full (caller, clear_caller);
}

static void
entry_free (void *data)
{
  Entry *entry = data;
  vend_auth_caller_unref (entry->caller);
  g_free (entry);
}

VendAuth *
vend_auth_new (VendStore *store)
{
  VendAuth *auth = g_new0 (VendAuth, 1);
  auth->store = store;
  pthread_mutex_init (&auth->lock, NULL);
  auth->by_hash = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, entry_free);
  return auth;
}

void
vend_auth_free (VendAuth *auth)
{
  if (auth == NULL)
    return;
  g_hash_table_unref (auth->by_hash);
  pthread_mutex_destroy (&auth->lock);
  g_free (auth);
}

void
vend_auth_forget (VendAuth *auth)
{
  pthread_mutex_lock (&auth->lock);
  auth->generation++;
  g_hash_table_remove_all (auth->by_hash);
  pthread_mutex_unlock (&auth->lock);
}

static guint
generation_now (VendAuth *auth)
{
  pthread_mutex_lock (&auth->lock);
  guint generation = auth->generation;
  pthread_mutex_unlock (&auth->lock);
  return generation;
}

static bool
write_used (VendDb *db, void *data, GError **error)
{
  return vend_store_token_used (db, data, vend_now_us (), error);
}

static void
wrote_used (const GError *error, void *data)
{
  g_free (data);
}

static VendCaller *
find_cached (VendAuth *auth, const char *hash, int64_t now_us)
{
  g_autofree char *write_id = NULL;
  VendCaller *caller = NULL;
  pthread_mutex_lock (&auth->lock);
  Entry *entry = g_hash_table_lookup (auth->by_hash, hash);
  if (entry != NULL)
    {
      caller = g_atomic_rc_box_acquire (entry->caller);
      if (now_us - entry->used_us > USED_INTERVAL_US)
        {
          entry->used_us = now_us;
          write_id = g_strdup (caller->token_id);
        }
    }
  pthread_mutex_unlock (&auth->lock);
  if (write_id != NULL)
    vend_store_write (auth->store, write_used, wrote_used, g_steal_pointer (&write_id));
  return caller;
}

static VendCaller *
load (VendAuth *auth, const char *hash, GError **error)
{
  g_autoptr (VendToken) token = NULL;
  g_autoptr (VendAccount) account = NULL;
  g_autoptr (GError) problem = NULL;
  g_auto (VendReader) reader = vend_reader (auth->store);
  bool found = vend_store_token_by_hash (reader.db, hash, &token, &problem)
               && vend_store_account_get (reader.db, token->account_id, &account, &problem);
  if (!found && !g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }
  if (!found || token->revoked_us > 0)
    {
      vend_fail (error, VEND_ERROR_UNAUTHORIZED, "You did not pass a valid authentication token");
      return NULL;
    }
  VendCaller *caller = g_atomic_rc_box_new0 (VendCaller);
  caller->account = g_steal_pointer (&account);
  caller->token_id = g_strdup (token->id);
  caller->scopes = token->scopes;
  return caller;
}

static void
remember (VendAuth *auth, const char *hash, VendCaller *caller, guint generation)
{
  Entry *entry = g_new0 (Entry, 1);
  entry->caller = g_atomic_rc_box_acquire (caller);
  pthread_mutex_lock (&auth->lock);
  if (g_hash_table_size (auth->by_hash) >= MAX_CACHED)
    g_hash_table_remove_all (auth->by_hash);
  if (auth->generation == generation)
    g_hash_table_replace (auth->by_hash, g_strdup (hash), g_steal_pointer (&entry));
  pthread_mutex_unlock (&auth->lock);
  if (entry != NULL)
    entry_free (entry);
}

static const char *
token_of (const char *authorization)
{
  static const char *const schemes[] = { "Bearer ", "Token " };
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_ascii_strncasecmp (authorization, schemes[i], strlen (schemes[i])) == 0)
      {
        const char *token = authorization + strlen (schemes[i]);
        while (*token == ' ')
          token++;
        return *token != '\0' && strlen (token) <= MAX_TOKEN_LENGTH ? token : NULL;
      }
  return NULL;
}

bool
vend_auth_check (VendAuth *auth, const char *authorization, VendScope need, VendCaller **out,
                 GError **error)
{
  if (authorization == NULL)
    return vend_fail (error, VEND_ERROR_UNAUTHORIZED, "You did not pass an authentication token");
  const char *token = token_of (authorization);
  if (token == NULL)
    return vend_fail (error, VEND_ERROR_UNAUTHORIZED,
                      "You did not pass a valid authentication token");

  g_autofree char *hash = vend_sha256_text (token);
  g_autoptr (VendCaller) caller = find_cached (auth, hash, vend_now_us ());
  if (caller == NULL)
    {
      guint generation = generation_now (auth);
      caller = load (auth, hash, error);
      if (caller == NULL)
        return false;
      remember (auth, hash, caller, generation);
    }
  if (!vend_scopes_allow (caller->scopes, need))
    return vend_fail (error, VEND_ERROR_FORBIDDEN, "this token lacks the scope '%s'",
                      vend_scope_name (need));
  *out = g_steal_pointer (&caller);
  return true;
}
