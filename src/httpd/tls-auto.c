/* A local certificate authority and a server certificate signed by it. Blocks on disk.
 *
 * Keys are written before their certificates, so a crash in between leaves a pair that does not
 * fit; such a server pair is made again. */
#include "httpd/tls-auto.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "httpd/tls-private.h"
#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#define DAY_S (24 * 60 * 60)
#define CA_DAYS (10 * 365)
#define SERVER_DAYS 397 /* browsers refuse longer lives */
#define RENEW_DAYS 30
#define SKEW_S 3600 /* clocks of clients may be behind */
#define PEM_BYTES (64 * 1024)
#define MAX_HOSTS 64

typedef struct
{
  guint8 bytes[16];
  unsigned int size; /* 0 for a DNS name */
} Address;

bool
vend_tls_check (int result, const char *what, GError **error)
{
  return result >= 0
         || vend_fail (error, VEND_ERROR_INTERNAL, "%s: %s", what, gnutls_strerror (result));
}

static Address
parse_host (const char *host)
{
  Address address = { .size = 0 };
  if (inet_pton (AF_INET, host, address.bytes) == 1)
    address.size = 4;
  else if (inet_pton (AF_INET6, host, address.bytes) == 1)
    address.size = 16;
  return address;
}

/* The caller's hosts and the fixed hosts, without repeats. */
static bool
collect_hosts (const char *const *hosts, GPtrArray *out, GError **error)
{
  static const char *const always[] = { "localhost", "127.0.0.1", "::1", NULL };
  const char *const *lists[] = { always, hosts };
  for (gsize l = 0; l < G_N_ELEMENTS (lists); l++)
    for (const char *const *host = lists[l]; host != NULL && *host != NULL; host++)
      {
        const bool usable
            = strspn (*host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*")
                  == strlen (*host)
              || parse_host (*host).size != 0;
        if (**host == '\0' || strlen (*host) > 253 || !usable)
          return vend_fail (error, VEND_ERROR_INVALID,
                            "TLS host '%s': expected a DNS name or an IP address", *host);
        if (!g_ptr_array_find_with_equal_func (out, *host, g_str_equal, NULL))
          g_ptr_array_add (out, (gpointer) *host);
      }
  if (out->len > MAX_HOSTS)
    return vend_fail (error, VEND_ERROR_INVALID, "more than %d TLS hosts", MAX_HOSTS);
  return true;
}

static bool
names_host (gnutls_x509_crt_t certificate, const char *host)
{
  const Address address = parse_host (host);
  for (unsigned int i = 0; i < MAX_HOSTS; i++)
    {
      char name[256];
      size_t size = sizeof name;
      int type = gnutls_x509_crt_get_subject_alt_name (certificate, i, name, &size, NULL);
      if (type < 0)
        return false;
      if (type == GNUTLS_SAN_IPADDRESS && address.size != 0 && size == address.size
          && memcmp (name, address.bytes, size) == 0)
        return true;
      if (type == GNUTLS_SAN_DNSNAME && address.size == 0 && size == strlen (host)
          && g_ascii_strncasecmp (name, host, size) == 0)
        return true;
    }
  return false;
}

bool
vend_tls_make_key (gnutls_x509_privkey_t *out, GError **error)
{
  g_auto (gnutls_x509_privkey_t) key = NULL;
  if (!vend_tls_check (gnutls_x509_privkey_init (&key), "new key", error)
      || !vend_tls_check (
          gnutls_x509_privkey_generate (key, GNUTLS_PK_ECDSA,
                                        GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0),
          "make an EC key", error))
    return false;
  *out = g_steal_pointer (&key);
  return true;
}

/* The common part of both certificates: key, serial, lifetime, name, key ids. */
bool
vend_tls_begin_certificate (gnutls_x509_privkey_t key, const char *name, int days,
                            gnutls_x509_crt_t *out, GError **error)
{
  g_auto (gnutls_x509_crt_t) certificate = NULL;
  guint8 serial[16];
  guint8 id[64];
  size_t id_size = sizeof id;
  const time_t now = time (NULL);
  vend_random_bytes (serial, sizeof serial);
  serial[0] &= 0x7f; /* positive */
  if (!vend_tls_check (gnutls_x509_crt_init (&certificate), "new certificate", error)
      || !vend_tls_check (gnutls_x509_crt_set_version (certificate, 3), "version", error)
      || !vend_tls_check (gnutls_x509_crt_set_key (certificate, key), "key", error)
      || !vend_tls_check (gnutls_x509_crt_set_serial (certificate, serial, sizeof serial), "serial",
                          error)
      || !vend_tls_check (gnutls_x509_crt_set_activation_time (certificate, now - SKEW_S), "start",
                          error)
      || !vend_tls_check (
          gnutls_x509_crt_set_expiration_time (certificate, now + (time_t) days * DAY_S), "end",
          error)
      || !vend_tls_check (gnutls_x509_crt_set_dn_by_oid (certificate, GNUTLS_OID_X520_COMMON_NAME,
                                                         0, name, (unsigned int) strlen (name)),
                          "name", error)
      || !vend_tls_check (gnutls_x509_privkey_get_key_id (key, 0, id, &id_size), "key id", error)
      || !vend_tls_check (gnutls_x509_crt_set_subject_key_id (certificate, id, id_size), "key id",
                          error))
    return false;
  *out = g_steal_pointer (&certificate);
  return true;
}

static bool
make_ca (gnutls_x509_privkey_t key, gnutls_x509_crt_t *out, GError **error)
{
  g_auto (gnutls_x509_crt_t) ca = NULL;
  if (!vend_tls_begin_certificate (key, "Vend local CA", CA_DAYS, &ca, error)
      || !vend_tls_check (gnutls_x509_crt_set_basic_constraints (ca, 1, 0), "constraints", error)
      || !vend_tls_check (
          gnutls_x509_crt_set_key_usage (ca, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN),
          "key usage", error)
      || !vend_tls_check (gnutls_x509_crt_sign2 (ca, ca, key, GNUTLS_DIG_SHA256, 0), "sign", error))
    return false;
  *out = g_steal_pointer (&ca);
  return true;
}

static bool
add_host (gnutls_x509_crt_t certificate, const char *host, GError **error)
{
  const Address address = parse_host (host);
  int result
      = address.size != 0
            ? gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_IPADDRESS,
                                                    address.bytes, address.size, GNUTLS_FSAN_APPEND)
            : gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_DNSNAME, host,
                                                    (unsigned int) strlen (host),
                                                    GNUTLS_FSAN_APPEND);
  return vend_tls_check (result, host, error);
}

static bool
make_server (gnutls_x509_privkey_t key, GPtrArray *hosts, gnutls_x509_crt_t ca,
             gnutls_x509_privkey_t ca_key, gnutls_x509_crt_t *out, GError **error)
{
  g_auto (gnutls_x509_crt_t) server = NULL;
  guint8 id[64];
  size_t id_size = sizeof id;
  if (!vend_tls_begin_certificate (key, "Vend", SERVER_DAYS, &server, error))
    return false;
  for (guint i = 0; i < hosts->len; i++)
    if (!add_host (server, hosts->pdata[i], error))
      return false;
  if (!vend_tls_check (gnutls_x509_crt_set_basic_constraints (server, 0, -1), "constraints", error)
      || !vend_tls_check (gnutls_x509_crt_set_key_usage (server, GNUTLS_KEY_DIGITAL_SIGNATURE),
                          "key usage", error)
      || !vend_tls_check (gnutls_x509_crt_set_key_purpose_oid (server, GNUTLS_KP_TLS_WWW_SERVER, 0),
                          "key purpose", error)
      || !vend_tls_check (gnutls_x509_crt_get_subject_key_id (ca, id, &id_size, NULL), "key id",
                          error)
      || !vend_tls_check (gnutls_x509_crt_set_authority_key_id (server, id, id_size), "key id",
                          error)
      || !vend_tls_check (gnutls_x509_crt_sign2 (server, ca, ca_key, GNUTLS_DIG_SHA256, 0), "sign",
                          error))
    return false;
  *out = g_steal_pointer (&server);
  return true;
}

/* Sets `*out` to NULL when the file is missing. */
bool
vend_tls_load_certificate (const char *path, gnutls_x509_crt_t *out, GError **error)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  g_autoptr (GError) failure = NULL;
  if (!vend_file_read (path, PEM_BYTES, &text, &size, &failure))
    {
      if (g_error_matches (failure, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        return true;
      g_propagate_error (error, g_steal_pointer (&failure));
      return false;
    }
  g_auto (gnutls_x509_crt_t) certificate = NULL;
  const gnutls_datum_t pem = { (unsigned char *) text, (unsigned int) size };
  if (!vend_tls_check (gnutls_x509_crt_init (&certificate), path, error)
      || !vend_tls_check (gnutls_x509_crt_import (certificate, &pem, GNUTLS_X509_FMT_PEM), path,
                          error))
    return false;
  *out = g_steal_pointer (&certificate);
  return true;
}

bool
vend_tls_load_key (const char *path, gnutls_x509_privkey_t *out, GError **error)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  g_autoptr (GError) failure = NULL;
  if (!vend_file_read (path, PEM_BYTES, &text, &size, &failure))
    {
      if (g_error_matches (failure, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        return true;
      g_propagate_error (error, g_steal_pointer (&failure));
      return false;
    }
  g_auto (gnutls_x509_privkey_t) key = NULL;
  const gnutls_datum_t pem = { (unsigned char *) text, (unsigned int) size };
  bool loaded = vend_tls_check (gnutls_x509_privkey_init (&key), path, error)
                && vend_tls_check (gnutls_x509_privkey_import (key, &pem, GNUTLS_X509_FMT_PEM),
                                   path, error);
  gnutls_memset (text, 0, size);
  if (loaded)
    *out = g_steal_pointer (&key);
  return loaded;
}

static bool
save_key (const char *path, gnutls_x509_privkey_t key, GError **error)
{
  gnutls_datum_t pem = { NULL, 0 };
  if (!vend_tls_check (gnutls_x509_privkey_export2 (key, GNUTLS_X509_FMT_PEM, &pem), path, error))
    return false;
  bool saved = vend_file_replace (path, pem.data, pem.size, 0600, error);
  gnutls_memset (pem.data, 0, pem.size);
  gnutls_free (pem.data);
  return saved;
}

static bool
save_certificate (const char *path, gnutls_x509_crt_t certificate, GError **error)
{
  gnutls_datum_t pem = { NULL, 0 };
  if (!vend_tls_check (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_PEM, &pem), path,
                       error))
    return false;
  bool saved = vend_file_replace (path, pem.data, pem.size, 0644, error);
  gnutls_free (pem.data);
  return saved;
}

static bool
fits_key (gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
  guint8 of_certificate[64];
  guint8 of_key[64];
  size_t certificate_size = sizeof of_certificate;
  size_t key_size = sizeof of_key;
  return gnutls_x509_crt_get_key_id (certificate, 0, of_certificate, &certificate_size) >= 0
         && gnutls_x509_privkey_get_key_id (key, 0, of_key, &key_size) >= 0
         && certificate_size == key_size && memcmp (of_certificate, of_key, key_size) == 0;
}

static bool
lives_on (gnutls_x509_crt_t certificate)
{
  return gnutls_x509_crt_get_expiration_time (certificate)
         > time (NULL) + (time_t) RENEW_DAYS * DAY_S;
}

static bool
ensure_ca (const char *cert_path, const char *key_path, gnutls_x509_crt_t *out_ca,
           gnutls_x509_privkey_t *out_key, GError **error)
{
  g_auto (gnutls_x509_crt_t) ca = NULL;
  g_auto (gnutls_x509_privkey_t) key = NULL;
  if (!vend_tls_load_certificate (cert_path, &ca, error)
      || !vend_tls_load_key (key_path, &key, error))
    return false;
  /* Machines of users trust this authority, so it is never replaced without need. */
  if (ca != NULL && lives_on (ca) && (key == NULL || !fits_key (ca, key)))
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "'%s' does not fit '%s'; put the right key back, or remove both to make a "
                      "new authority",
                      key_path, cert_path);
  if (ca == NULL || !lives_on (ca))
    {
      g_clear_pointer (&ca, gnutls_x509_crt_deinit);
      g_clear_pointer (&key, gnutls_x509_privkey_deinit);
      if (!vend_tls_make_key (&key, error) || !make_ca (key, &ca, error)
          || !save_key (key_path, key, error) || !save_certificate (cert_path, ca, error))
        return false;
    }
  *out_ca = g_steal_pointer (&ca);
  *out_key = g_steal_pointer (&key);
  return true;
}

static bool
is_signed_by (gnutls_x509_crt_t certificate, gnutls_x509_crt_t ca)
{
  unsigned int status = 0;
  return gnutls_x509_crt_verify (certificate, &ca, 1, 0, &status) >= 0 && status == 0;
}

/* An unreadable server pair is made again: no machine trusts it by itself. */
static bool
server_is_good (const char *cert_path, const char *key_path, GPtrArray *hosts, gnutls_x509_crt_t ca)
{
  g_auto (gnutls_x509_crt_t) server = NULL;
  g_auto (gnutls_x509_privkey_t) key = NULL;
  if (!vend_tls_load_certificate (cert_path, &server, NULL)
      || !vend_tls_load_key (key_path, &key, NULL) || server == NULL || key == NULL
      || !fits_key (server, key) || !lives_on (server) || !is_signed_by (server, ca))
    return false;
  for (guint i = 0; i < hosts->len; i++)
    if (!names_host (server, hosts->pdata[i]))
      return false;
  return true;
}

bool
vend_tls_auto (const char *dir, const char *const *hosts, char **out_cert_pem, char **out_key_pem,
               char **out_ca_path, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *ca_path = g_build_filename (dir, "ca.pem", NULL);
  g_autofree char *ca_key_path = g_build_filename (dir, "ca.key", NULL);
  g_autofree char *cert_path = g_build_filename (dir, "server.pem", NULL);
  g_autofree char *key_path = g_build_filename (dir, "server.key", NULL);
  g_auto (gnutls_x509_crt_t) ca = NULL;
  g_auto (gnutls_x509_privkey_t) ca_key = NULL;
  if (!collect_hosts (hosts, names, error) || !vend_dir_ensure (dir, error)
      || !ensure_ca (ca_path, ca_key_path, &ca, &ca_key, error))
    return false;

  if (!server_is_good (cert_path, key_path, names, ca))
    {
      g_auto (gnutls_x509_crt_t) server = NULL;
      g_auto (gnutls_x509_privkey_t) key = NULL;
      if (!vend_tls_make_key (&key, error) || !make_server (key, names, ca, ca_key, &server, error)
          || !save_key (key_path, key, error) || !save_certificate (cert_path, server, error))
        return false;
    }
  g_autofree char *cert_pem = NULL;
  if (!vend_file_read (cert_path, PEM_BYTES, &cert_pem, NULL, error)
      || !vend_file_read (key_path, PEM_BYTES, out_key_pem, NULL, error))
    return false;
  *out_cert_pem = g_steal_pointer (&cert_pem);
  *out_ca_path = g_steal_pointer (&ca_path);
  return true;
}
