/* Certificates and keys of the local authority, for the files that make them. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (gnutls_x509_crt_t, gnutls_x509_crt_deinit, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC (gnutls_x509_privkey_t, gnutls_x509_privkey_deinit, NULL)

/* Whether a call of the library went well. */
bool vend_tls_check (int result, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An EC key. */
bool vend_tls_make_key (gnutls_x509_privkey_t *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The common part of all certificates: key, serial, lifetime, name, key ids. */
bool vend_tls_begin_certificate (gnutls_x509_privkey_t key, const char *name, int days,
                                 gnutls_x509_crt_t *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `*out` is NULL when the file is missing. */
bool vend_tls_load_certificate (const char *path, gnutls_x509_crt_t *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_tls_load_key (const char *path, gnutls_x509_privkey_t *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
