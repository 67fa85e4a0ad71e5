/* The local authority: made once, renewed when needed, and good enough for a verifying client. */
#include "httpd/httpd.h"
#include "httpd/tls-auto.h"
#include "base/error.h"
#include "base/fd.h"
#include <glib/gstdio.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

typedef struct
{
  char *cert;
  char *key;
  char *ca_path;
} Pair;

static void
pair_clear (Pair *pair)
{
  g_clear_pointer (&pair->cert, g_free);
  g_clear_pointer (&pair->key, g_free);
  g_clear_pointer (&pair->ca_path, g_free);
}

static void
make (const char *dir, const char *const *hosts, Pair *pair)
{
  g_autoptr (GError) error = NULL;
  bool made = vend_tls_auto (dir, hosts, &pair->cert, &pair->key, &pair->ca_path, &error);
  g_assert_no_error (error);
  g_assert_true (made);
}

static char *
read_file (const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static void
write_file (const char *dir, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
remove_dir (char *dir)
{
  g_assert_true (vend_tree_remove (dir, NULL));
  g_free (dir);
}

static void
test_files (void)
{
  static const char *const two[] = { "vend.example", "10.1.2.3", "localhost", NULL };
  static const char *const three[] = { "vend.example", "10.1.2.3", "fe80::1", NULL };
  static const char *const bad[][2]
      = { { "a b", NULL }, { "", NULL }, { "a/b", NULL }, { "x\n", NULL } };
  char *dir = g_dir_make_tmp ("vend-tls-XXXXXX", NULL);
  Pair first = { 0 };
  Pair again = { 0 };
  Pair wider = { 0 };
  make (dir, two, &first);
  make (dir, two, &again);
  g_assert_cmpstr (first.cert, ==, again.cert);
  g_assert_cmpstr (first.key, ==, again.key);
  g_autofree char *ca = read_file (dir, "ca.pem");

  make (dir, three, &wider);
  g_assert_cmpstr (first.cert, !=, wider.cert);
  g_autofree char *same_ca = read_file (dir, "ca.pem");
  g_assert_cmpstr (ca, ==, same_ca);

  static const char *const secret[] = { "ca.key", "server.key" };
  for (gsize i = 0; i < G_N_ELEMENTS (secret); i++)
    {
      g_autofree char *path = g_build_filename (dir, secret[i], NULL);
      struct stat st;
      g_assert_cmpint (g_stat (path, &st), ==, 0);
      g_assert_cmpint (st.st_mode & 0777, ==, 0600);
    }

  /* A torn or foreign server pair is made again. */
  write_file (dir, "server.key", "nonsense");
  pair_clear (&wider);
  make (dir, three, &wider);
  write_file (dir, "server.pem", ca);
  pair_clear (&again);
  make (dir, three, &again);
  g_assert_cmpstr (wider.cert, !=, again.cert);

  /* The authority is not. */
  g_autofree char *ca_key = read_file (dir, "ca.key");
  g_autoptr (GError) error = NULL;
  Pair none = { 0 };
  write_file (dir, "ca.key", again.key);
  g_assert_false (vend_tls_auto (dir, two, &none.cert, &none.key, &none.ca_path, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_CONFLICT);
  g_assert_null (none.cert);
  write_file (dir, "ca.key", ca_key);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_clear_error (&error);
      g_assert_false (vend_tls_auto (dir, bad[i], &none.cert, &none.key, &none.ca_path, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
    }
  pair_clear (&first);
  pair_clear (&again);
  pair_clear (&wider);
  remove_dir (dir);
}

static void
test_lifetimes (void)
{
  char *dir = g_dir_make_tmp ("vend-tls-XXXXXX", NULL);
  Pair pair = { 0 };
  make (dir, NULL, &pair);
  g_autofree char *ca = read_file (dir, "ca.pem");
  const struct
  {
    const char *pem;
    int days;
    int is_ca;
  } cases[] = { { ca, 3650, 1 }, { pair.cert, 397, 0 } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gnutls_x509_crt_t certificate;
      const gnutls_datum_t pem
          = { (unsigned char *) cases[i].pem, (unsigned int) strlen (cases[i].pem) };
      unsigned int critical = 0;
      g_assert_cmpint (gnutls_x509_crt_init (&certificate), ==, 0);
      g_assert_cmpint (gnutls_x509_crt_import (certificate, &pem, GNUTLS_X509_FMT_PEM), ==, 0);
      gint64 left = gnutls_x509_crt_get_expiration_time (certificate) - time (NULL);
      g_assert_cmpint ((left + 3600) / 86400, ==, cases[i].days);
      g_assert_cmpint (gnutls_x509_crt_get_ca_status (certificate, &critical), ==, cases[i].is_ca);
      g_assert_cmpint (gnutls_x509_crt_get_pk_algorithm (certificate, NULL), ==, GNUTLS_PK_ECDSA);
      gnutls_x509_crt_deinit (certificate);
    }
  pair_clear (&pair);
  remove_dir (dir);
}

static void
hello (VendCall *call, void *context)
{
  vend_call_reply (call,
                   vend_reply_json (200, json_pack ("{s:s}", "origin", vend_call_origin (call))));
}

static void
take_body (VendCall *call, void *context)
{
  vend_call_reply (call, vend_reply_empty (204));
}

/* Sends `request` over TLS to `port`, verified for `host`. The whole answer, or NULL when the
 * handshake fails. */
static char *
ask_tls (guint port, const char *ca_path, const char *host, const char *request, gsize extra)
{
  gnutls_certificate_credentials_t credentials;
  gnutls_session_t session;
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((guint16) port) };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  vend_autofd fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  gnutls_certificate_allocate_credentials (&credentials);
  g_assert_cmpint (
      gnutls_certificate_set_x509_trust_file (credentials, ca_path, GNUTLS_X509_FMT_PEM), ==, 1);
  gnutls_init (&session, GNUTLS_CLIENT);
  gnutls_set_default_priority (session);
  gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_session_set_verify_cert (session, host, 0);
  gnutls_transport_set_int (session, fd);
  gnutls_handshake_set_timeout (session, 20000);
  int result = 0;
  do
    result = gnutls_handshake (session);
  while (result < 0 && !gnutls_error_is_fatal (result));

  g_autoptr (GString) answer = g_string_new (NULL);
  if (result == 0)
    {
      char buffer[4096];
      g_autofree char *filler = g_strnfill (extra, 'x');
      ssize_t n = gnutls_record_send (session, request, strlen (request));
      g_assert_cmpint (n, ==, strlen (request));
      for (gsize at = 0; at < extra && n > 0; at += (gsize) n)
        n = gnutls_record_send (session, filler + at, extra - at);
      while ((n = gnutls_record_recv (session, buffer, sizeof buffer)) > 0)
        g_string_append_len (answer, buffer, n);
    }
  gnutls_deinit (session);
  gnutls_certificate_free_credentials (credentials);
  return result == 0 ? g_string_free (g_steal_pointer (&answer), FALSE) : NULL;
}

static void
test_handshake (void)
{
  static const char *const hosts[] = { "vend.example", NULL };
  static const VendRoute routes[]
      = { { "GET", "/", hello }, { "POST", "/", take_body, NULL, VEND_BODY_BUFFER, 1000 } };
  char *dir = g_dir_make_tmp ("vend-tls-XXXXXX", NULL);
  Pair pair = { 0 };
  make (dir, hosts, &pair);
  const VendHttpdOptions options = { .listen = "127.0.0.1:0",
                                     .threads = 2,
                                     .max_connections = 100,
                                     .idle_timeout_s = 60,
                                     .max_body = 1000,
                                     .spool_dir = dir,
                                     .tls_cert_pem = pair.cert,
                                     .tls_key_pem = pair.key };
  VendHttpd *httpd = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &httpd, &error));
  vend_httpd_serve (httpd);
  const guint port = vend_httpd_port (httpd);

  static const char *const good[] = { "localhost", "vend.example", "127.0.0.1" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *answer
          = ask_tls (port, pair.ca_path, good[i],
                     "GET / HTTP/1.1\r\nHost: vend.example\r\nConnection: close\r\n\r\n", 0);
      g_assert_nonnull (answer);
      g_assert_nonnull (strstr (answer, "https://vend.example"));
    }
  g_autofree char *other = ask_tls (port, pair.ca_path, "other.example", "GET / HTTP/1.1\r\n", 0);
  g_assert_null (other);
  g_autofree char *refused = ask_tls (
      port, pair.ca_path, "localhost",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\n", 0x4000);
  g_assert_nonnull (strstr (refused, "HTTP/1.1 413 "));
  vend_httpd_free (httpd);

  VendHttpdOptions wrong = options;
  wrong.tls_key_pem = "nonsense";
  g_assert_false (vend_httpd_open (&wrong, routes, G_N_ELEMENTS (routes), &httpd, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
  pair_clear (&pair);
  remove_dir (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tls/files", test_files);
  g_test_add_func ("/tls/lifetimes", test_lifetimes);
  g_test_add_func ("/tls/handshake", test_handshake);
  return g_test_run ();
}
