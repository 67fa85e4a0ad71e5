/* Files and texts of any length, up and down. Main thread only. */
#include "cli/client/client-private.h"
#include "base/error.h"
#include "files/file-name.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (curl_mime, curl_mime_free)

static bool
get (VendClient *client, const VendExchange *exchange, const char *shown, GError **error)
{
  g_auto (VendResponse) response = { 0 };
  if (!vend_client_exchange (client, exchange, &response, error))
    return false;
  return response.status / 100 == 2
         || vend_client_problem (client, "GET", shown, response.status, response.body, error);
}

bool
vend_client_read (VendClient *client, const char *path, VendClientSink sink, void *user,
                  GError **error)
{
  g_autofree char *url = vend_client_url_of (client, path);
  const VendExchange exchange
      = { .method = "GET", .url = url, .is_patient = true, .sink = sink, .user = user };
  return get (client, &exchange, path, error);
}

bool
vend_client_download (VendClient *client, const char *url, VendClientSink sink, void *user,
                      GError **error)
{
  const VendExchange exchange
      = { .method = "GET", .url = url, .is_anonymous = true, .sink = sink, .user = user };
  if (get (client, &exchange, url, error))
    return true;
  g_prefix_error (error, "download %s: ", url);
  return false;
}

bool
vend_client_upload_file (VendClient *client, const char *path, json_t **out, GError **error)
{
  g_autofree char *url = vend_client_url_of (client, "/v1/files");
  g_autofree char *name = g_path_get_basename (path);
  g_autoptr (curl_mime) form = curl_mime_init (client->curl);
  g_auto (VendResponse) response = { 0 };

  curl_mimepart *part = form != NULL ? curl_mime_addpart (form) : NULL;
  if (part == NULL || curl_mime_name (part, "content") != CURLE_OK
      || curl_mime_filename (part, name) != CURLE_OK)
    return vend_fail (error, VEND_ERROR_INTERNAL, "cannot make a form for '%s'", path);
  if (curl_mime_filedata (part, path) != CURLE_OK)
    return vend_fail (error, VEND_ERROR_INVALID, "cannot read '%s'", path);
  curl_mime_filename (part, name);
  curl_mime_type (part, vend_file_type (name));

  const VendExchange exchange = { .method = "POST", .url = url, .form = form };
  bool good = vend_client_exchange (client, &exchange, &response, error);
  if (good && response.status / 100 != 2)
    good = vend_client_problem (client, "POST", "/v1/files", response.status, response.body, error);
  if (good && !json_is_object (response.body))
    good = vend_fail (error, VEND_ERROR_INTERNAL, "%s answered without a JSON object",
                      client->config->url);
  if (!good)
    {
      g_prefix_error (error, "upload '%s': ", path);
      return false;
    }
  *out = g_steal_pointer (&response.body);
  return true;
}

bool
vend_client_send_piece (VendClient *client, const char *path, const VendClientPiece *piece,
                        int *out_status, json_t **out, GError **error)
{
  g_autofree char *url = vend_client_url_of (client, path);
  g_auto (VendResponse) response = { 0 };
  const VendExchange exchange = { .method = "PATCH", .url = url, .piece = piece };
  if (!vend_client_exchange (client, &exchange, &response, error))
    return false;
  *out_status = response.status;
  *out = g_steal_pointer (&response.body);
  return true;
}
