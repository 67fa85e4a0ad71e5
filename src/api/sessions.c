/* Signing in to the web page: by a token, or by a link that somebody with a token made. */
#include "api/api-private.h"
#include "api/web-session.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "store/sessions.h"
#include <string.h>

#define MAX_TOKEN 256

static bool
insert (VendDb *db, void *data, GError **error)
{
  return vend_store_session_insert (db, data, error);
}

/* Other sites must not sign a browser in under a name of their choice. */
static bool
check_own_page (VendCall *call, GError **error)
{
  return vend_web_session_is_own_page (call)
         || vend_fail (error, VEND_ERROR_FORBIDDEN,
                       "this request must come from the page of this server");
}

static json_t *
show (const VendCaller *caller)
{
  return json_pack ("{s:s, s:s, s:s, s:o}", "username", caller->account->username, "name",
                    caller->account->name, "type", caller->account->type, "scopes",
                    vend_scopes_to_json (caller->scopes));
}

static bool
create_session (VendApi *api, VendCall *call, VendCaller *nobody, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  const char *token = NULL;
  g_autoptr (VendCaller) caller = NULL;
  g_autofree char *secret = NULL;
  if (!check_own_page (call, error) || !vend_api_object (call, &body, error)
      || !vend_api_text (body, "token", MAX_TOKEN, &token, error))
    return false;
  g_autofree char *authorization = g_strconcat ("Bearer ", token, NULL);
  if (!vend_auth_check (api->parts.auth, authorization, VEND_SCOPE_READ, &caller, error))
    return false;
  g_autoptr (VendSession) session
      = vend_session_new (caller->token_id, false, vend_now_us (), &secret);
  if (!vend_store_write_wait (api->parts.store, insert, session, error))
    return false;
  vend_web_session_set_cookie (call, secret, session->expires_us - session->created_us);
  *out = vend_reply_json (201, show (caller));
  return true;
}

static bool
find_caller (VendApi *api, VendCall *call, VendCaller **out, GError **error)
{
  g_autofree char *secret = vend_web_session_secret (call);
  if (secret == NULL || !vend_web_session_is_own_page (call))
    return vend_fail (error, VEND_ERROR_UNAUTHORIZED, "You are not signed in");
  return vend_auth_check_session (api->parts.auth, secret, VEND_SCOPE_READ, out, error);
}

static bool
get_session (VendApi *api, VendCall *call, VendCaller *nobody, VendReply **out, GError **error)
{
  g_autoptr (VendCaller) caller = NULL;
  if (!find_caller (api, call, &caller, error))
    return false;
  *out = vend_reply_json (200, show (caller));
  return true;
}

typedef struct
{
  char *hash;
  const char *token_id; /* ends all of its sessions; or NULL */
} End;

static bool
end (VendDb *db, void *data, GError **error)
{
  const End *which = data;
  return which->token_id != NULL ? vend_store_session_delete_of_token (db, which->token_id, error)
                                 : vend_store_session_delete (db, which->hash, error);
}

/* Signing out twice is no error. */
static bool
delete_session (VendApi *api, VendCall *call, VendCaller *nobody, VendReply **out, GError **error)
{
  g_autoptr (VendCaller) caller = NULL;
  const bool everywhere = g_strcmp0 (vend_call_query (call, "everywhere"), "true") == 0;
  if (!check_own_page (call, error))
    return false;
  g_autofree char *secret = vend_web_session_secret (call);
  if (secret != NULL && find_caller (api, call, &caller, NULL))
    {
      g_autofree char *hash = vend_sha256_text (secret);
      End which = { hash, everywhere ? caller->token_id : NULL };
      if (!vend_store_write_wait (api->parts.store, end, &which, error))
        return false;
      vend_auth_forget (api->parts.auth);
    }
  vend_web_session_set_cookie (call, NULL, 0);
  *out = vend_reply_empty (204);
  return true;
}

/* ---- Links */

static bool
create_link (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autofree char *secret = NULL;
  g_autoptr (VendSession) link = vend_session_new (caller->token_id, true, vend_now_us (), &secret);
  if (!vend_store_write_wait (api->parts.store, insert, link, error))
    return false;
  json_t *body = json_object ();
  g_autofree char *url = g_strconcat (vend_call_origin (call), "/-/login/", secret, NULL);
  vend_json_set_string (body, "url", url);
  vend_json_set_time (body, "expires_at", link->expires_us);
  *out = vend_reply_json (201, body);
  return true;
}

typedef struct
{
  char *hash; /* of the link */
  VendSession *session;
  char *secret;
} Login;

/* The link is used up in the transaction that makes the session. */
static bool
log_in (VendDb *db, void *data, GError **error)
{
  Login *login = data;
  g_autoptr (VendSession) link = NULL;
  const int64_t now_us = vend_now_us ();
  /* A transaction may be tried again. */
  g_clear_pointer (&login->session, vend_session_free);
  g_clear_pointer (&login->secret, g_free);
  if (!vend_store_session_take_link (db, login->hash, now_us, &link, error))
    return false;
  login->session = vend_session_new (link->token_id, false, now_us, &login->secret);
  return vend_store_session_insert (db, login->session, error);
}

static VendReply *
go_to (const char *path)
{
  VendReply *reply = vend_reply_empty (303);
  vend_reply_header (reply, "Location", path);
  vend_reply_header (reply, "Cache-Control", "no-store");
  vend_reply_header (reply, "Referrer-Policy", "no-referrer");
  return reply;
}

static bool
use_link (VendApi *api, VendCall *call, VendCaller *nobody, VendReply **out, GError **error)
{
  g_autofree char *hash = vend_sha256_text (vend_call_param (call, "code"));
  g_autoptr (GError) problem = NULL;
  Login login = { .hash = hash };
  const char *wanted = vend_call_header (call, "Sec-Fetch-Dest");
  if (wanted != NULL && strcmp (wanted, "document") != 0)
    return vend_fail (error, VEND_ERROR_FORBIDDEN, "this link must be opened as a page");
  /* Previews of links look at the head only. */
  if (strcmp (vend_call_method (call), "HEAD") == 0)
    {
      *out = go_to ("/");
      return true;
    }
  if (vend_store_write_wait (api->parts.store, log_in, &login, &problem))
    vend_web_session_set_cookie (call, login.secret,
                                 login.session->expires_us - login.session->created_us);
  *out = go_to (problem == NULL ? "/" : "/sign-in?link=used");
  g_clear_pointer (&login.session, vend_session_free);
  g_free (login.secret);
  if (problem != NULL && !g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_clear_pointer (out, vend_reply_free);
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  return true;
}

const ApiRoute vend_api_session_routes[] = {
  { "GET", "/-/session", 0, VEND_BODY_NONE, get_session, NULL, .runs_on = VEND_RUN_READ },
  { "POST", "/-/session", 0, VEND_BODY_BUFFER, create_session, NULL },
  { "DELETE", "/-/session", 0, VEND_BODY_NONE, delete_session, NULL },
  { "POST", "/-/session/links", VEND_SCOPE_READ, VEND_BODY_NONE, create_link, NULL },
  { "GET", "/-/login/{code}", 0, VEND_BODY_NONE, use_link, NULL, .runs_on = VEND_RUN_WRITE },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
