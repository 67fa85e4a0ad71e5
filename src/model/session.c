/* A browser that is signed in with a token, or a link that signs one in. */
#include "model/session.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"

#define SECRET_LENGTH 43
#define SESSION_LIFE_US (30 * 24 * 3600 * VEND_US_PER_S)
#define LINK_LIFE_US (10 * 60 * VEND_US_PER_S)

void
vend_session_free (VendSession *session)
{
  if (session == NULL)
    return;
  g_free (session->hash);
  g_free (session->token_id);
  g_free (session);
}

VendSession *
vend_session_new (const char *token_id, bool is_link, int64_t now_us, char **out_secret)
{
  VendSession *session = g_new0 (VendSession, 1);
  *out_secret = vend_secret_new ("", SECRET_LENGTH);
  session->hash = vend_sha256_text (*out_secret);
  session->token_id = g_strdup (token_id);
  session->is_link = is_link;
  session->created_us = now_us;
  session->expires_us = now_us + (is_link ? LINK_LIFE_US : SESSION_LIFE_US);
  return session;
}
