/* Files without a token: output files and covers, whose URL is the capability, and signed downloads
 * of uploaded ones. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "model/capability.h"
#include "store/accounts.h"
#include "store/covers.h"
#include "store/files.h"
#include <openssl/crypto.h>
#include <string.h>

/* Purpose of the capability that an account's signing secret is. */
#define SIGNING "files"

typedef struct
{
  VendCall *call;
  const char *etag;
} Asked;

static bool
find_part (uint64_t file_size, uint64_t *out_start, uint64_t *out_size, void *data)
{
  const Asked *asked = data;
  *out_start = *out_size = 0;
  if (strcmp (vend_call_method (asked->call), "HEAD") == 0)
    return true;
  return vend_call_part_of (asked->call, asked->etag, file_size, out_start, out_size);
}

bool
vend_api_content_open (VendApi *api, VendCall *call, const char *sha256, const char *etag,
                       int *out_fd, uint64_t *out_size, GError **error)
{
  Asked asked = { call, etag };
  return vend_blobs_open_part (api->parts.blobs, sha256, find_part, &asked, out_fd, out_size,
                               error);
}

static bool
send_blob (VendApi *api, VendCall *call, const char *sha256, const char *content_type,
           VendReply **out, GError **error)
{
  vend_autofd fd = -1;
  uint64_t size = 0;
  if (!vend_api_content_open (api, call, sha256, sha256, &fd, &size, error))
    return false;
  *out = vend_reply_file (vend_fd_steal (&fd), size, content_type, sha256);
  vend_reply_header (*out, "Cache-Control", "private, max-age=3600");
  vend_reply_header (*out, "X-Content-Type-Options", "nosniff");
  /* Somebody's HTML must not run as a page of this server. */
  vend_reply_header (*out, "Content-Security-Policy", "sandbox; default-src 'none'");
  return true;
}

static bool
get_output (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendOutput) output = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_output_get (reader.db, vend_call_param (call, "token"), &output, error))
      return false;
  }
  if (strcmp (output->name, vend_call_param (call, "name")) != 0)
    return vend_api_not_found (error);
  return send_blob (api, call, output->sha256, output->content_type, out, error);
}

/* Whoever may see the model has its cover's URL from there. */
static bool
get_cover (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendCover) cover = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_cover_get (reader.db, vend_call_param (call, "token"), &cover, error))
      return false;
  }
  if (strcmp (cover->name, vend_call_param (call, "name")) != 0)
    return vend_api_not_found (error);
  return send_blob (api, call, cover->sha256, cover->content_type, out, error);
}

/* ---- Signed downloads */

static char *
signing_secret (int64_t account_id)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, account_id);
  return vend_capability_new (SIGNING, text);
}

static bool
get_secret (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autofree char *secret = signing_secret (caller->account->id);
  if (secret == NULL)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "this server has no key to sign with");
  *out = vend_reply_json (200, json_pack ("{s:s}", "key", secret));
  return true;
}

/* base64 (HMAC-SHA256 (secret, "owner id expiry")) */
static bool
is_signed (int64_t account_id, const char *owner, const char *id, const char *expiry,
           const char *signature)
{
  guint8 mac[VEND_HMAC_SIZE];
  g_autofree char *secret = signing_secret (account_id);
  g_autofree char *text = g_strdup_printf ("%s %s %s", owner, id, expiry);
  if (secret == NULL)
    return false;
  vend_hmac_sha256 (secret, strlen (secret), "", text, strlen (text), mac);
  g_autofree char *right = g_base64_encode (mac, sizeof mac);
  return strlen (signature) == strlen (right)
         && CRYPTO_memcmp (signature, right, strlen (right)) == 0;
}

/* Whatever is wrong looks alike. */
static bool
download (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  const char *id = vend_call_param (call, "id");
  const char *owner = vend_call_query (call, "owner");
  const char *expiry = vend_call_query (call, "expiry");
  const char *signature = vend_call_query (call, "signature");
  int64_t expiry_s = 0, now_us = vend_now_us ();
  if (owner == NULL || expiry == NULL || signature == NULL
      || !g_ascii_string_to_signed (expiry, 10, 0, G_MAXINT64 / VEND_US_PER_S, &expiry_s, NULL)
      || expiry_s * VEND_US_PER_S <= now_us)
    return vend_api_not_found (error);

  g_autoptr (VendAccount) account = NULL;
  g_autoptr (VendFile) file = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_account_by_username (reader.db, owner, &account, error)
        || !vend_store_file_get (reader.db, id, &file, error))
      return false;
  }
  if (file->account_id != account->id || file->expires_us <= now_us
      || !is_signed (account->id, owner, id, expiry, signature))
    return vend_api_not_found (error);
  return send_blob (api, call, file->sha256, file->content_type, out, error);
}

const ApiRoute vend_api_download_routes[] = {
  { "GET", "/v1/outputs/{token}/{name}", 0, VEND_BODY_NONE, get_output, NULL, .reads_files = true },
  { "GET", "/v1/covers/{token}/{name}", 0, VEND_BODY_NONE, get_cover, NULL, .reads_files = true },
  { "GET", "/v1/files/{id}/download", 0, VEND_BODY_NONE, download, NULL,
    .missing = VEND_API_NO_FILE, .reads_files = true },
  { "GET", "/v1/files/default/secret", VEND_SCOPE_RUN, VEND_BODY_NONE, get_secret, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
