/* The server and token of the commands, and the source of both. Any thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "base/settings.h"
#include "cli/arguments/options.h"

#define VEND_DEFAULT_URL "http://127.0.0.1:8363"

typedef struct
{
  char *url;                /* origin and path, without slash or /v1 at the end */
  const char *url_source;   /* "--url", "VEND_URL", …, "default" */
  char *token;              /* NULL: none */
  const char *token_source; /* NULL: none */
  char *ca;                 /* file of certificates, or NULL for the system's */
} VendClientConfig;

void vend_client_config_free (VendClientConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendClientConfig, vend_client_config_free)

/* Options, then the environment, then cli.json of a local server, then the default. Reads a file.
 */
bool vend_client_config_resolve (const VendConnection *connection, VendClientConfig **out,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "http://host:8363/v1/" → "http://host:8363". INVALID when it is no http or https URL. */
bool vend_client_url_normalize (const char *text, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* True for a URL of this machine's loopback. */
bool vend_client_url_is_local (const char *url);

/* $VEND_DATA or ~/.local/share/vend. Free with g_free. */
char *vend_data_dir (void) G_GNUC_WARN_UNUSED_RESULT;
/* The settings of a server of that directory, without flags: its vend.conf and the environment. */
bool vend_data_dir_settings (const char *data, VendSettings **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The database of a server on this directory: a path, or the URL that vend.conf or VEND_STORE name.
 */
bool vend_data_dir_store (const char *data, char **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
