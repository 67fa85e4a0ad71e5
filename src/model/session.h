/* A browser that is signed in with a token, or a link that signs one in. Plain value. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct
{
  char *hash;     /* SHA-256 of the secret; the secret itself is not stored */
  char *token_id; /* the session has its rights, and ends when it is revoked */
  bool is_link;   /* used once, for a session */
  int64_t created_us;
  int64_t expires_us;
} VendSession;

void vend_session_free (VendSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSession, vend_session_free)

/* `secret` is for the cookie or the link; free with g_free. */
VendSession *vend_session_new (const char *token_id, bool is_link, int64_t now_us,
                               char **out_secret) G_GNUC_WARN_UNUSED_RESULT;
