/* Certificates of clients, signed by the local authority. Blocks on disk. */
#include "httpd/tls-client.h"
#include "base/error.h"
#include "httpd/tls-private.h"

static bool
make_client (gnutls_x509_privkey_t key, const char *name, int days, gnutls_x509_crt_t ca,
             gnutls_x509_privkey_t ca_key, gnutls_x509_crt_t *out, GError **error)
{
  g_auto (gnutls_x509_crt_t) client = NULL;
  guint8 id[64];
  size_t id_size = sizeof id;
  if (!vend_tls_begin_certificate (key, name, days, &client, error)
      || !vend_tls_check (gnutls_x509_crt_set_basic_constraints (client, 0, -1), "constraints",
                          error)
      || !vend_tls_check (gnutls_x509_crt_set_key_usage (client, GNUTLS_KEY_DIGITAL_SIGNATURE),
                          "key usage", error)
      || !vend_tls_check (gnutls_x509_crt_set_key_purpose_oid (client, GNUTLS_KP_TLS_WWW_CLIENT, 0),
                          "key purpose", error)
      || !vend_tls_check (gnutls_x509_crt_get_subject_key_id (ca, id, &id_size, NULL), "key id",
                          error)
      || !vend_tls_check (gnutls_x509_crt_set_authority_key_id (client, id, id_size), "key id",
                          error)
      || !vend_tls_check (gnutls_x509_crt_sign2 (client, ca, ca_key, GNUTLS_DIG_SHA256, 0), "sign",
                          error))
    return false;
  *out = g_steal_pointer (&client);
  return true;
}

/* Takes `pem`, which was filled when `result` is good. */
static bool
take_text (int result, gnutls_datum_t pem, char **out, GError **error)
{
  if (!vend_tls_check (result, "write PEM", error))
    return false;
  *out = g_strndup ((const char *) pem.data, pem.size);
  gnutls_memset (pem.data, 0, pem.size);
  gnutls_free (pem.data);
  return true;
}

bool
vend_tls_client_new (const char *dir, const char *name, int days, char **out_cert_pem,
                     char **out_key_pem, GError **error)
{
  g_autofree char *ca_path = g_build_filename (dir, "ca.pem", NULL);
  g_autofree char *ca_key_path = g_build_filename (dir, "ca.key", NULL);
  g_auto (gnutls_x509_crt_t) ca = NULL;
  g_auto (gnutls_x509_privkey_t) ca_key = NULL;
  g_auto (gnutls_x509_crt_t) client = NULL;
  g_auto (gnutls_x509_privkey_t) key = NULL;
  g_autofree char *cert_pem = NULL;
  gnutls_datum_t pem = { NULL, 0 };
  if (!vend_tls_load_certificate (ca_path, &ca, error)
      || !vend_tls_load_key (ca_key_path, &ca_key, error))
    return false;
  if (ca == NULL || ca_key == NULL)
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "'%s' has no authority", dir);
  if (!vend_tls_make_key (&key, error) || !make_client (key, name, days, ca, ca_key, &client, error)
      || !take_text (gnutls_x509_crt_export2 (client, GNUTLS_X509_FMT_PEM, &pem), pem, &cert_pem,
                     error)
      || !take_text (gnutls_x509_privkey_export2 (key, GNUTLS_X509_FMT_PEM, &pem), pem, out_key_pem,
                     error))
    return false;
  *out_cert_pem = g_steal_pointer (&cert_pem);
  return true;
}
