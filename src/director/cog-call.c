/* One short HTTP request to the model server on loopback. Main context. */
#include "director/cog-call.h"
#include <string.h>

struct VendCogCall
{
  VendCurlContext *curl;
  CURL *easy;
  struct curl_slist *headers;
  GString *body;
  VendCogReply reply;
  void *data;
  char problem[CURL_ERROR_SIZE];
};

void
vend_cog_setup_easy (CURL *easy)
{
  curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt (easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
  curl_easy_setopt (easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, "http");
}

static size_t
on_bytes (char *data, size_t size, size_t n, void *user_data)
{
  VendCogCall *call = user_data;
  if (call->body->len + size * n > VEND_COG_REPLY_MAX)
    return CURL_WRITEFUNC_ERROR;
  g_string_append_len (call->body, data, (gssize) (size * n));
  return size * n;
}

static void
call_free (VendCogCall *call)
{
  curl_slist_free_all (call->headers);
  g_string_free (call->body, TRUE);
  g_free (call);
}

static void
on_done (CURL *easy, CURLcode result, void *user_data)
{
  VendCogCall *call = user_data;
  long status = 0;
  if (result == CURLE_OK)
    curl_easy_getinfo (easy, CURLINFO_RESPONSE_CODE, &status);
  const char *problem = call->problem[0] != '\0' ? call->problem : curl_easy_strerror (result);
  call->reply (status, call->body->str, call->body->len, status == 0 ? problem : NULL, call->data);
  curl_easy_cleanup (easy);
  call_free (call);
}

VendCogCall *
vend_cog_call_start (VendCurlContext *curl, const char *method, const char *url, const char *body,
                     long timeout_ms, VendCogReply reply, void *data)
{
  VendCogCall *call = g_new0 (VendCogCall, 1);
  call->curl = curl;
  call->reply = reply;
  call->data = data;
  call->body = g_string_new (NULL);
  call->headers = curl_slist_append (NULL, "Content-Type: application/json");
  call->headers = curl_slist_append (call->headers, "Expect:");
  call->easy = curl_easy_init ();
  g_assert (call->easy != NULL);
  vend_cog_setup_easy (call->easy);
  curl_easy_setopt (call->easy, CURLOPT_URL, url);
  curl_easy_setopt (call->easy, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt (call->easy, CURLOPT_HTTPHEADER, call->headers);
  curl_easy_setopt (call->easy, CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt (call->easy, CURLOPT_ERRORBUFFER, call->problem);
  curl_easy_setopt (call->easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt (call->easy, CURLOPT_WRITEDATA, call);
  if (body != NULL)
    curl_easy_setopt (call->easy, CURLOPT_COPYPOSTFIELDS, body);
  vend_curl_context_start (curl, call->easy, on_done, call);
  return call;
}

void
vend_cog_call_cancel (VendCogCall *call)
{
  vend_curl_context_cancel (call->curl, call->easy);
  call_free (call);
}
