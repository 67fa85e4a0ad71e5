/* Authentication: tokens to callers, with a cache in front of the store. */
#include "auth/auth.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "store/accounts.h"
#include "store/sessions.h"
#include <pthread.h>
#include <string.h>

#define MAX_CACHED 10000
#define MAX_TOKEN_LENGTH 256
#define MAX_BASIC_LENGTH 2048
#define BASIC "Basic "
#define BASE64_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
/* `last_used_at` is for people who clean up; a minute is fine enough, and keeps writes rare. */
#define USED_INTERVAL_US (60 * VEND_US_PER_S)

typedef struct
{
  VendCaller *caller;
  int64_t used_us;
} Entry;

typedef enum
{
  KEY_TOKEN,
  KEY_SESSION,
} KeyKind;

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
find_cached (VendAuth *auth, KeyKind kind, const char *hash, int64_t now_us)
{
  g_autofree char *write_id = NULL;
  VendCaller *caller = NULL;
  pthread_mutex_lock (&auth->lock);
  Entry *entry = g_hash_table_lookup (auth->by_hash, hash);
  if (entry != NULL && entry->caller->is_web == (kind == KEY_SESSION)
      && (entry->caller->expires_us == 0 || now_us < entry->caller->expires_us))
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
new_caller (VendAccount *take_account, const char *token_id, guint scopes)
{
  VendCaller *caller = g_atomic_rc_box_new0 (VendCaller);
  caller->account = take_account;
  caller->token_id = g_strdup (token_id);
  caller->scopes = scopes;
  return caller;
}

/* The token of a session, or itself. */
static bool
find_token (VendDb *db, KeyKind kind, const char *hash, VendToken **out, int64_t *out_expires_us,
            GError **error)
{
  g_autoptr (VendSession) session = NULL;
  if (kind == KEY_TOKEN)
    return vend_store_token_by_hash (db, hash, out, error);
  if (!vend_store_session_get (db, hash, vend_now_us (), &session, error))
    return false;
  *out_expires_us = session->expires_us;
  return vend_store_token_get (db, session->token_id, out, error);
}

static VendCaller *
load (VendAuth *auth, KeyKind kind, const char *hash, GError **error)
{
  g_autoptr (VendToken) token = NULL;
  g_autoptr (VendAccount) account = NULL;
  g_autoptr (GError) problem = NULL;
  int64_t expires_us = 0;
  g_auto (VendReader) reader = vend_reader (auth->store);
  bool found = find_token (reader.db, kind, hash, &token, &expires_us, &problem)
               && vend_store_account_get (reader.db, token->account_id, &account, &problem);
  if (!found && !g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }
  if (!found || token->revoked_us > 0)
    {
      vend_fail (error, VEND_ERROR_UNAUTHORIZED,
                 kind == KEY_TOKEN ? "You did not pass a valid authentication token"
                                   : "The session has ended; sign in again");
      return NULL;
    }
  VendCaller *caller = new_caller (g_steal_pointer (&account), token->id, token->scopes);
  caller->is_web = kind == KEY_SESSION;
  caller->expires_us = expires_us;
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

static bool
check (VendAuth *auth, KeyKind kind, const char *secret, VendScope need, VendCaller **out,
       GError **error)
{
  g_autofree char *hash = vend_sha256_text (secret);
  g_autoptr (VendCaller) caller = find_cached (auth, kind, hash, vend_now_us ());
  if (caller == NULL)
    {
      guint generation = generation_now (auth);
      caller = load (auth, kind, hash, error);
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
  return check (auth, KEY_TOKEN, token, need, out, error);
}

/* The password in "Basic <base64 of user:password>"; NULL when it is none. */
static char *
password_of (const char *authorization)
{
  gsize size = 0;
  const char *text = authorization + strlen (BASIC);
  text += strspn (text, " ");
  /* g_base64_decode skips what is no digit of it. */
  if (*text == '\0' || strlen (text) > MAX_BASIC_LENGTH
      || text[strspn (text, BASE64_DIGITS)] != '\0')
    return NULL;
  g_autofree guchar *plain = g_base64_decode (text, &size);
  const guchar *colon = memchr (plain, ':', size);
  const gsize length = colon != NULL ? size - (gsize) (colon + 1 - plain) : 0;
  char *password
      = length > 0 && length <= MAX_TOKEN_LENGTH && memchr (colon + 1, '\0', length) == NULL
            ? g_strndup ((const char *) colon + 1, length)
            : NULL;
  if (plain != NULL)
    explicit_bzero (plain, size);
  return password;
}

bool
vend_auth_check_basic (VendAuth *auth, const char *authorization, VendScope need, VendCaller **out,
                       GError **error)
{
  if (authorization == NULL || g_ascii_strncasecmp (authorization, BASIC, strlen (BASIC)) != 0)
    return vend_auth_check (auth, authorization, need, out, error);
  g_autofree char *password = password_of (authorization);
  if (password == NULL)
    return vend_fail (error, VEND_ERROR_UNAUTHORIZED,
                      "You did not pass a valid authentication token");
  const bool good = check (auth, KEY_TOKEN, password, need, out, error);
  explicit_bzero (password, strlen (password));
  return good;
}

bool
vend_auth_check_session (VendAuth *auth, const char *secret, VendScope need, VendCaller **out,
                         GError **error)
{
  return check (auth, KEY_SESSION, secret, need, out, error);
}

VendCaller *
vend_auth_anonymous (const char *key)
{
  VendAccount *nobody = g_new0 (VendAccount, 1);
  nobody->username = g_strdup ("");
  nobody->name = g_strdup ("");
  nobody->type = g_strdup ("user");
  return new_caller (nobody, key, VEND_SCOPE_READ);
}
