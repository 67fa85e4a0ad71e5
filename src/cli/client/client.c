/* JSON calls of the commands, and the errors of answers other than 2xx. Main thread only. */
#include "cli/client/client-private.h"
#include "cli/client/missing.h"
#include "base/clock.h"
#include "base/error.h"
#include <string.h>

#define MAX_WAITS 5
#define FIRST_WAIT_US (250 * VEND_US_PER_MS)
#define MAX_WAIT_US (30 * VEND_US_PER_S)
#define MAX_PAGES 10000

bool
vend_client_new (const VendConnection *connection, VendClient **out, GError **error)
{
  g_autoptr (VendClientConfig) config = NULL;
  if (!vend_client_config_resolve (connection, &config, error))
    return false;
  if (config->ca != NULL && !g_file_test (config->ca, G_FILE_TEST_IS_REGULAR))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "certificate file '%s' does not exist; name a PEM file with --ca or VEND_CA",
                      config->ca);

  g_autoptr (VendClient) client = g_new0 (VendClient, 1);
  client->curl = curl_easy_init ();
  if (client->curl == NULL)
    return vend_fail (error, VEND_ERROR_INTERNAL, "libcurl does not start");
  client->config = g_steal_pointer (&config);
  *out = g_steal_pointer (&client);
  return true;
}

void
vend_client_free (VendClient *client)
{
  if (client == NULL)
    return;
  g_clear_pointer (&client->curl, curl_easy_cleanup);
  vend_client_config_free (client->config);
  g_free (client);
}

void
vend_client_set_interrupt (VendClient *client, VendInterrupt *interrupt)
{
  client->interrupt = interrupt;
}

const VendClientConfig *
vend_client_get_config (const VendClient *client)
{
  return client->config;
}

static VendError
code_of_status (int status)
{
  switch (status)
    {
    case 400:
    case 422:
      return VEND_ERROR_INVALID;
    case 401:
      return VEND_ERROR_UNAUTHORIZED;
    case 402:
      return VEND_ERROR_PAYMENT;
    case 403:
      return VEND_ERROR_FORBIDDEN;
    case 404:
    case 410:
      return VEND_ERROR_NOT_FOUND;
    case 409:
      return VEND_ERROR_CONFLICT;
    case 413:
      return VEND_ERROR_TOO_LARGE;
    case 415:
      return VEND_ERROR_MEDIA_TYPE;
    case 429:
      return VEND_ERROR_RATE_LIMITED;
    default:
      return status >= 500 ? VEND_ERROR_UNAVAILABLE : VEND_ERROR_INTERNAL;
    }
}

/* "- input.n: …\n- input.m: …\n" as lines without dashes. */
static char *
plain_detail (const char *detail)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (GStrv) lines = g_strsplit (detail, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = g_strstrip (lines[i]);
      line += g_str_has_prefix (line, "- ") ? 2 : 0;
      if (*line != '\0')
        g_string_append_printf (text, "%s%s", text->len > 0 ? "; " : "", line);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* The usual texts of a 404 do not name the missing thing; others say more than its path. */
static bool
fail_missing (const char *path, const char *text, GError **error)
{
  static const char *const usual[]
      = { "The requested resource could not be found.", "File not found", NULL };
  g_autofree char *thing = g_strv_contains (usual, text) ? vend_missing_thing (path) : NULL;
  if (thing != NULL)
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "there is no %s, or this token may not see it",
                      thing);
  return vend_fail (error, VEND_ERROR_NOT_FOUND, "%s", text);
}

bool
vend_client_problem (const VendClient *client, const char *method, const char *path, int status,
                     const json_t *body, GError **error)
{
  const char *detail = vend_json_string (body, "detail");
  if (detail == NULL || *detail == '\0')
    detail = vend_json_string (body, "title");
  if (detail == NULL)
    return vend_fail (error, code_of_status (status), "%s answered %d to %s %s",
                      client->config->url, status, method, path);

  g_autofree char *text = plain_detail (detail);
  if (status == 401 && client->config->token == NULL)
    return vend_fail (error, VEND_ERROR_UNAUTHORIZED,
                      "%s (no token for %s; set --token or VEND_API_TOKEN)", text,
                      client->config->url);
  if (status == 401)
    return vend_fail (error, VEND_ERROR_UNAUTHORIZED, "%s (%s; token from %s)", text,
                      client->config->url, client->config->token_source);
  if (status >= 500)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "%s answered %d: %s", client->config->url,
                      status, text);
  if (status == 404)
    return fail_missing (path, text, error);
  return vend_fail (error, code_of_status (status), "%s", text);
}

/* Throttled and "not now" answers say that nothing was done, so the call may be made again. */
static bool
should_wait (const VendResponse *response, guint n_waits, int64_t *out_wait_us)
{
  bool is_asked
      = response->status == 429 || (response->status == 503 && response->retry_after_s > 0);
  int64_t wait_us = response->retry_after_s * VEND_US_PER_S;
  *out_wait_us = CLAMP (wait_us, FIRST_WAIT_US << n_waits, MAX_WAIT_US);
  return is_asked && n_waits < MAX_WAITS;
}

static bool
exchange_json (VendClient *client, const char *method, const char *path, const json_t *body,
               VendResponse *out, GError **error)
{
  g_autofree char *url = vend_client_url_of (client, path);
  g_autofree char *text = body != NULL ? vend_json_text (body) : NULL;
  VendExchange exchange = { .method = method, .url = url, .body = text };

  for (guint n_waits = 0;; n_waits++)
    {
      g_auto (VendResponse) response = { 0 };
      int64_t wait_us = 0;
      if (!vend_client_exchange (client, &exchange, &response, error))
        return false;
      if (!should_wait (&response, n_waits, &wait_us))
        {
          *out = response;
          response.body = NULL;
          return true;
        }
      if (vend_interrupt_wait (client->interrupt, wait_us))
        return vend_fail (error, VEND_ERROR_CANCELED, "interrupted");
    }
}

bool
vend_client_send (VendClient *client, const char *method, const char *path, const json_t *body,
                  int *out_status, json_t **out, GError **error)
{
  g_auto (VendResponse) response = { 0 };
  if (!exchange_json (client, method, path, body, &response, error))
    return false;
  *out_status = response.status;
  *out = g_steal_pointer (&response.body);
  return true;
}

bool
vend_client_call (VendClient *client, const char *method, const char *path, const json_t *body,
                  json_t **out, GError **error)
{
  g_auto (VendResponse) response = { 0 };
  if (!exchange_json (client, method, path, body, &response, error))
    return false;
  if (response.status / 100 != 2)
    return vend_client_problem (client, method, path, response.status, response.body, error);
  if (out == NULL)
    return true;
  if (!json_is_object (response.body))
    return vend_fail (error, VEND_ERROR_INTERNAL,
                      "%s answered %d to %s %s without a JSON object; is that a Vend server?",
                      client->config->url, response.status, method, path);
  *out = g_steal_pointer (&response.body);
  return true;
}

/* The path of an absolute URL, below the client's own: the token goes nowhere else. */
static char *
path_of_url (const VendClient *client, const char *url)
{
  gsize own = strlen (client->config->url);
  if (strncmp (url, client->config->url, own) == 0 && url[own] == '/')
    return g_strdup (url + own);

  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_ENCODED, NULL);
  if (uri == NULL || !g_str_has_prefix (g_uri_get_path (uri), "/"))
    return NULL;
  const char *query = g_uri_get_query (uri);
  return g_strconcat (g_uri_get_path (uri), query != NULL ? "?" : "", query, NULL);
}

bool
vend_client_list (VendClient *client, const char *path, guint limit, json_t **out, GError **error)
{
  json_auto_t *results = json_array ();
  g_autofree char *at = g_strdup (path);
  guint n_pages = 0;

  while (at != NULL && (limit == 0 || json_array_size (results) < limit))
    {
      json_auto_t *page = NULL;
      size_t i;
      json_t *item;
      if (!vend_client_call (client, "GET", at, NULL, &page, error))
        return false;
      const json_t *items = json_object_get (page, "results");
      if (!json_is_array (items))
        return vend_fail (error, VEND_ERROR_INTERNAL, "%s answered GET %s without 'results'",
                          client->config->url, at);
      json_array_foreach (items, i, item)
        if (limit == 0 || json_array_size (results) < limit)
          json_array_append (results, item);

      const char *next = vend_json_string (page, "next");
      g_autofree char *next_path = next != NULL ? path_of_url (client, next) : NULL;
      if (++n_pages >= MAX_PAGES || g_strcmp0 (next_path, at) == 0)
        return vend_fail (error, VEND_ERROR_INTERNAL, "the list at %s has no last page", path);
      g_free (at);
      at = g_steal_pointer (&next_path);
    }
  *out = json_pack ("{s:O}", "results", results);
  return true;
}
