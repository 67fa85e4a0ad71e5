/* One HTTP exchange over libcurl: bounded, interruptible, without redirects. Main thread only. */
#include "cli/client/client-private.h"
#include "base/error.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_REPLY_BYTES (256 * 1024 * 1024)
#define CONNECT_TIMEOUT_S 10L
#define SILENCE_TIMEOUT_S 120L
#define KEEPALIVE_S 30L

typedef struct curl_slist curl_slist;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (curl_slist, curl_slist_free_all)

/* State that the callbacks of one exchange share. */
typedef struct
{
  VendClient *client;
  const VendExchange *exchange;
  GByteArray *body;
  uint64_t piece_done;
  int read_errno;
  bool is_too_large;
  bool is_stopped; /* by the sink */
} Transfer;

void
vend_response_clear (VendResponse *response)
{
  g_clear_pointer (&response->body, json_decref);
}

char *
vend_client_url_of (const VendClient *client, const char *path)
{
  return g_strconcat (client->config->url, path, NULL);
}

static size_t
on_body (char *data, size_t size, size_t n, void *user)
{
  Transfer *transfer = user;
  gsize bytes = size * n;
  long status = 0;

  curl_easy_getinfo (transfer->client->curl, CURLINFO_RESPONSE_CODE, &status);
  if (transfer->exchange->sink != NULL && status / 100 == 2)
    {
      transfer->is_stopped = !transfer->exchange->sink (data, bytes, transfer->exchange->user);
      return transfer->is_stopped ? 0 : bytes;
    }
  transfer->is_too_large = transfer->body->len + bytes > MAX_REPLY_BYTES;
  if (transfer->is_too_large)
    return 0;
  g_byte_array_append (transfer->body, (const guint8 *) data, (guint) bytes);
  return bytes;
}

static size_t
on_read (char *buffer, size_t size, size_t n, void *user)
{
  Transfer *transfer = user;
  const VendClientPiece *piece = transfer->exchange->piece;
  gsize wanted = MIN ((uint64_t) (size * n), piece->size - transfer->piece_done);
  ssize_t got = pread (piece->fd, buffer, wanted, (off_t) (piece->offset + transfer->piece_done));

  if (got < 0 || (got == 0 && wanted > 0))
    {
      transfer->read_errno = got < 0 ? errno : EIO;
      return CURL_READFUNC_ABORT;
    }
  transfer->piece_done += (uint64_t) got;
  return (size_t) got;
}

/* curl sends again from the start when a kept connection turns out to be closed. */
static int
on_seek (void *user, curl_off_t offset, int origin)
{
  Transfer *transfer = user;
  if (origin != SEEK_SET || offset < 0 || (uint64_t) offset > transfer->exchange->piece->size)
    return CURL_SEEKFUNC_FAIL;
  transfer->piece_done = (uint64_t) offset;
  return CURL_SEEKFUNC_OK;
}

static int
on_progress (void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
  Transfer *transfer = user;
  const VendClientPiece *piece = transfer->exchange->piece;
  if (piece != NULL && piece->progress != NULL)
    piece->progress (piece->offset + (uint64_t) up, piece->user);
  VendInterrupt *interrupt = transfer->client->interrupt;
  return interrupt != NULL && vend_interrupt_pending (interrupt) ? 1 : 0;
}

static void
set_payload (CURL *curl, const VendExchange *exchange, Transfer *transfer)
{
  if (exchange->form != NULL)
    {
      curl_easy_setopt (curl, CURLOPT_MIMEPOST, exchange->form);
    }
  else if (exchange->piece != NULL)
    {
      curl_easy_setopt (curl, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt (curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t) exchange->piece->size);
      curl_easy_setopt (curl, CURLOPT_READFUNCTION, on_read);
      curl_easy_setopt (curl, CURLOPT_READDATA, transfer);
      curl_easy_setopt (curl, CURLOPT_SEEKFUNCTION, on_seek);
      curl_easy_setopt (curl, CURLOPT_SEEKDATA, transfer);
    }
  else if (exchange->body != NULL || strcmp (exchange->method, "POST") == 0)
    {
      const char *body = exchange->body != NULL ? exchange->body : "";
      curl_easy_setopt (curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) strlen (body));
      curl_easy_setopt (curl, CURLOPT_POSTFIELDS, body);
    }
  if (strcmp (exchange->method, "GET") != 0)
    curl_easy_setopt (curl, CURLOPT_CUSTOMREQUEST, exchange->method);
}

static void
add_header (curl_slist **headers, const char *header)
{
  *headers = curl_slist_append (*headers, header);
  g_assert (*headers != NULL);
}

static curl_slist *
make_headers (const VendClient *client, const VendExchange *exchange)
{
  curl_slist *headers = NULL;
  /* Waiting for "100 Continue" costs a round trip and nothing here is refused early. */
  add_header (&headers, "Expect:");
  if (client->config->token != NULL && !exchange->is_anonymous)
    {
      g_autofree char *header = g_strconcat ("Authorization: Bearer ", client->config->token, NULL);
      add_header (&headers, header);
    }
  if (exchange->body != NULL)
    add_header (&headers, "Content-Type: application/json");
  if (exchange->piece != NULL)
    {
      g_autofree char *header
          = g_strdup_printf ("Upload-Offset: %" G_GUINT64_FORMAT, exchange->piece->offset);
      add_header (&headers, header);
      add_header (&headers, "Content-Type: application/octet-stream");
    }
  return headers;
}

static void
set_options (CURL *curl, const VendExchange *exchange, Transfer *transfer)
{
  const VendClientConfig *config = transfer->client->config;

  curl_easy_reset (curl);
  curl_easy_setopt (curl, CURLOPT_URL, exchange->url);
  curl_easy_setopt (curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (curl, CURLOPT_USERAGENT, "vend/" VEND_VERSION);
  curl_easy_setopt (curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
  curl_easy_setopt (curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt (curl, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
  curl_easy_setopt (curl, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
  if (!exchange->is_patient)
    {
      curl_easy_setopt (curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
      curl_easy_setopt (curl, CURLOPT_LOW_SPEED_TIME, SILENCE_TIMEOUT_S);
    }
  if (config->ca != NULL)
    curl_easy_setopt (curl, CURLOPT_CAINFO, config->ca);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt (curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt (curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt (curl, CURLOPT_XFERINFODATA, transfer);
  set_payload (curl, exchange, transfer);
}

static bool
fail_transfer (const Transfer *transfer, CURLcode code, const char *text, GError **error)
{
  const VendExchange *exchange = transfer->exchange;
  const char *reason = *text != '\0' ? text : curl_easy_strerror (code);
  long os_errno = 0;

  curl_easy_getinfo (transfer->client->curl, CURLINFO_OS_ERRNO, &os_errno);
  if (code == CURLE_COULDNT_CONNECT && os_errno != 0)
    reason = g_strerror ((int) os_errno);

  if (transfer->client->interrupt != NULL && vend_interrupt_pending (transfer->client->interrupt))
    return vend_fail (error, VEND_ERROR_CANCELED, "interrupted");
  if (transfer->is_stopped)
    return vend_fail (error, VEND_ERROR_STORAGE, "cannot write the answer");
  if (transfer->is_too_large)
    return vend_fail (error, VEND_ERROR_STORAGE, "answer to %s %s is larger than %d MiB",
                      exchange->method, exchange->url, MAX_REPLY_BYTES / 1024 / 1024);
  if (transfer->read_errno != 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, transfer->read_errno, "read the upload");
  if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "cannot reach %s: %s%s",
                      exchange->is_anonymous ? exchange->url : transfer->client->config->url,
                      reason,
                      vend_client_url_is_local (exchange->url) ? "; is 'vend serve' running?" : "");
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
    return vend_fail (error, VEND_ERROR_FORBIDDEN,
                      "%s: %s; name the CA certificate to trust with --ca FILE", exchange->url,
                      reason);
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
    return vend_fail (error, VEND_ERROR_STORAGE, "'%s' is not a URL that can be fetched",
                      exchange->url);
  return vend_fail (error, VEND_ERROR_UNAVAILABLE, "%s %s: %s", exchange->method, exchange->url,
                    reason);
}

bool
vend_client_exchange (VendClient *client, const VendExchange *exchange, VendResponse *out,
                      GError **error)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  g_autoptr (curl_slist) headers = make_headers (client, exchange);
  Transfer transfer = { .client = client, .exchange = exchange, .body = body };
  char text[CURL_ERROR_SIZE] = "";
  long status = 0;
  curl_off_t retry_after_s = 0;

  set_options (client->curl, exchange, &transfer);
  curl_easy_setopt (client->curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt (client->curl, CURLOPT_ERRORBUFFER, text);
  CURLcode code = curl_easy_perform (client->curl);
  curl_easy_getinfo (client->curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo (client->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
  curl_easy_setopt (client->curl, CURLOPT_HTTPHEADER, NULL);
  curl_easy_setopt (client->curl, CURLOPT_ERRORBUFFER, NULL);
  if (code != CURLE_OK)
    return fail_transfer (&transfer, code, text, error);

  out->status = (int) status;
  out->is_empty = body->len == 0;
  out->retry_after_s = (int64_t) retry_after_s;
  if (!out->is_empty)
    {
      g_autoptr (GError) ignored = NULL;
      if (!vend_json_parse ((const char *) body->data, body->len, &out->body, &ignored))
        out->body = NULL;
    }
  return true;
}
