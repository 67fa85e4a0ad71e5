/* A local certificate authority, made once, and a server certificate signed by it. Blocks on disk.
 */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* Reads or makes `dir`/ca.pem, ca.key (0600), server.pem, server.key. The server certificate names
 * `hosts` (NULL-terminated DNS names and IP literals; localhost, 127.0.0.1 and ::1 always) and is
 * renewed when it expires within 30 days or lacks a host. Outputs are PEM texts and the CA's path;
 * free with g_free. */
bool vend_tls_auto (const char *dir, const char *const *hosts, char **out_cert_pem,
                    char **out_key_pem, char **out_ca_path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
