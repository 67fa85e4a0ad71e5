/* The server and token of the commands, and the source of both. Any thread. */
#include "cli/client/client-config.h"
#include "base/error.h"
#include "base/fd.h"
#include "json/json.h"
#include "store/store-mark.h"
#include <string.h>

#define CLI_FILE "cli.json"
#define MAX_CLI_FILE (64 * 1024)

typedef struct
{
  const char *value;
  const char *source;
} Choice;

void
vend_client_config_free (VendClientConfig *config)
{
  if (config == NULL)
    return;
  g_free (config->url);
  g_free (config->token);
  g_free (config->ca);
  g_free (config);
}

char *
vend_data_dir (void)
{
  const char *set = g_getenv ("VEND_DATA");
  if (set != NULL && *set != '\0')
    return g_strdup (set);
  return g_build_filename (g_get_home_dir (), ".local", "share", "vend", NULL);
}

bool
vend_data_dir_settings (const char *data, VendSettings **out, GError **error)
{
  g_autofree char *path = g_build_filename (data, "vend.conf", NULL);
  return vend_settings_load (path, out, error);
}

bool
vend_data_dir_store (const char *data, char **out, GError **error)
{
  g_autoptr (VendSettings) settings = NULL;
  if (!vend_data_dir_settings (data, &settings, error))
    return false;
  const char *url = vend_store_mark_is_sqlite (data) ? "" : vend_settings_url (settings, "store");
  *out = *url != '\0' ? g_strdup (url) : g_build_filename (data, "vend.db", NULL);
  return true;
}

bool
vend_client_url_normalize (const char *text, char **out, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if ((strcmp (scheme, "http") != 0 && strcmp (scheme, "https") != 0) || host == NULL
      || *host == '\0' || g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL
      || g_uri_get_userinfo (uri) != NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%.200s' is not the URL of a server; expected one such as " VEND_DEFAULT_URL,
                      text);

  g_autofree char *url = g_strdup (text);
  for (gsize n = strlen (url); n > 0 && url[n - 1] == '/'; n--)
    url[n - 1] = '\0';
  if (g_str_has_suffix (url, "/v1"))
    url[strlen (url) - strlen ("/v1")] = '\0';
  *out = g_steal_pointer (&url);
  return true;
}

bool
vend_client_url_is_local (const char *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  static const char *const local[] = { "127.0.0.1", "localhost", "::1", NULL };
  return uri != NULL && g_uri_get_host (uri) != NULL
         && g_strv_contains (local, g_uri_get_host (uri));
}

/* The first that is neither absent nor empty; all of them may be. */
static Choice
first_of (const Choice *choices, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (choices[i].value != NULL && *choices[i].value != '\0')
      return choices[i];
  return (Choice){ NULL, NULL };
}

/* The cli.json that a server on this machine wrote for its owner; NULL without one. */
static bool
read_cli_file (json_t **out, GError **error)
{
  g_autofree char *data = vend_data_dir ();
  g_autofree char *path = g_build_filename (data, CLI_FILE, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) problem = NULL;
  gsize size = 0;

  /* Not there, or not this user's to read: then it is somebody else's server. */
  if (!vend_file_read (path, MAX_CLI_FILE, &text, &size, &problem))
    {
      *out = NULL;
      return true;
    }
  if (!vend_json_parse (text, size, out, error))
    {
      g_prefix_error (error, "%s: ", path);
      return false;
    }
  return true;
}

bool
vend_client_config_resolve (const VendConnection *connection, VendClientConfig **out,
                            GError **error)
{
  json_auto_t *file = NULL;
  if (!read_cli_file (&file, error))
    return false;

  const Choice urls[] = {
    { connection->url, "--url" },
    { g_getenv ("VEND_URL"), "VEND_URL" },
    { g_getenv ("REPLICATE_BASE_URL"), "REPLICATE_BASE_URL" },
    { vend_json_string (file, "url"), CLI_FILE },
    { VEND_DEFAULT_URL, "default" },
  };
  g_autoptr (VendClientConfig) config = g_new0 (VendClientConfig, 1);
  Choice url = first_of (urls, G_N_ELEMENTS (urls));
  if (!vend_client_url_normalize (url.value, &config->url, error))
    {
      g_prefix_error (error, "%s: ", url.source);
      return false;
    }
  config->url_source = url.source;

  /* The file's secrets are for the server that wrote it. */
  bool is_files = strcmp (url.source, CLI_FILE) == 0 || vend_client_url_is_local (config->url);
  const Choice tokens[] = {
    { connection->token, "--token" },
    { g_getenv ("VEND_API_TOKEN"), "VEND_API_TOKEN" },
    { g_getenv ("REPLICATE_API_TOKEN"), "REPLICATE_API_TOKEN" },
    { is_files ? vend_json_string (file, "token") : NULL, CLI_FILE },
  };
  const Choice cas[] = {
    { connection->ca, "--ca" },
    { g_getenv ("VEND_CA"), "VEND_CA" },
    { is_files ? vend_json_string (file, "ca") : NULL, CLI_FILE },
  };
  Choice token = first_of (tokens, G_N_ELEMENTS (tokens));
  config->token = g_strdup (token.value);
  config->token_source = token.source;
  config->ca = g_strdup (first_of (cas, G_N_ELEMENTS (cas)).value);
  *out = g_steal_pointer (&config);
  return true;
}
