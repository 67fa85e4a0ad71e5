/* Certificates of clients, signed by the local authority of tls-auto.h. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* Makes a key and a certificate for it that is good for clients alone, with the common name `name`.
 * The authority is the one that vend_tls_auto has made in `dir`. Outputs are PEM texts, which are
 * written nowhere; free with g_free, the key after wiping it. */
bool vend_tls_client_new (const char *dir, const char *name, int days, char **out_cert_pem,
                          char **out_key_pem, GError **error) G_GNUC_WARN_UNUSED_RESULT;
