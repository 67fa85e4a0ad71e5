/* A TLS connection over TCP with certificates on both sides. Blocking. */
#include "machines/tls-stream.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define MAX_NAME 256
#define CLOSE_PATIENCE_MS 200
/* A peer that is gone is noticed within half a minute, also by who only reads. */
#define KEEPALIVE_IDLE_S 10
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_PROBES 3
#define UNACKNOWLEDGED_MS 25000

/* TLS 1.3 alone. Keys are not renewed within a connection, so that one thread may read while
 * another one writes. */
#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define FLAGS (GNUTLS_NO_AUTO_REKEY | GNUTLS_NO_TICKETS | GNUTLS_NO_SIGNAL)

struct VendTlsIdentity
{
  gnutls_certificate_credentials_t credentials;
};

struct VendTlsStream
{
  VendTlsIdentity *identity;
  int fd;
  gnutls_session_t session;
  char *peer;
  bool has_failed; /* no farewell */
};

/* ---- Identity */

static void
clear_identity (void *data)
{
  VendTlsIdentity *identity = data;
  if (identity->credentials != NULL)
    gnutls_certificate_free_credentials (identity->credentials);
}

VendTlsIdentity *
vend_tls_identity_ref (VendTlsIdentity *identity)
{
  return g_atomic_rc_box_acquire (identity);
}

void
vend_tls_identity_unref (VendTlsIdentity *identity)
{
  if (identity != NULL)
    g_atomic_rc_box_release_full (identity, clear_identity);
}

static gnutls_datum_t
datum (const char *text)
{
  return (gnutls_datum_t){ (unsigned char *) text, (unsigned int) strlen (text) };
}

bool
vend_tls_identity_new (const char *authority_pem, const char *certificate_pem, const char *key_pem,
                       VendTlsIdentity **out, GError **error)
{
  g_autoptr (VendTlsIdentity) identity = g_atomic_rc_box_new0 (VendTlsIdentity);
  const gnutls_datum_t authority = datum (authority_pem);
  const gnutls_datum_t certificate = datum (certificate_pem), key = datum (key_pem);
  int result = gnutls_certificate_allocate_credentials (&identity->credentials);
  if (result >= 0)
    result = gnutls_certificate_set_x509_trust_mem (identity->credentials, &authority,
                                                    GNUTLS_X509_FMT_PEM);
  if (result == 0)
    return vend_fail (error, VEND_ERROR_INVALID, "the authority has no certificate");
  if (result >= 0)
    result = gnutls_certificate_set_x509_key_mem (identity->credentials, &certificate, &key,
                                                  GNUTLS_X509_FMT_PEM);
  if (result < 0)
    return vend_fail (error, VEND_ERROR_INVALID, "read a certificate: %s",
                      gnutls_strerror (result));
  *out = g_steal_pointer (&identity);
  return true;
}

/* ---- TCP */

static void
set_patience (int fd, guint patience_ms)
{
  const struct timeval patience
      = { .tv_sec = patience_ms / 1000, .tv_usec = (suseconds_t) (patience_ms % 1000) * 1000 };
  (void) setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  (void) setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static void
set_option (int fd, int level, int name, int value)
{
  (void) setsockopt (fd, level, name, &value, sizeof value);
}

static void
prepare (int fd)
{
  set_option (fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option (fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option (fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
  set_option (fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
  set_option (fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
  set_option (fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS);
}

/* SO_SNDTIMEO bounds connect() too. */
static int
connect_to (const struct addrinfo *address, guint patience_ms)
{
  vend_autofd fd = socket (address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  set_patience (fd, patience_ms);
  if (connect (fd, address->ai_addr, address->ai_addrlen) < 0)
    return -1;
  return vend_fd_steal (&fd);
}

typedef struct addrinfo Addresses;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Addresses, freeaddrinfo)

static bool
dial (const char *host, guint port, guint patience_ms, int *out_fd, GError **error)
{
  g_autoptr (Addresses) addresses = NULL;
  const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
  g_autofree char *service = g_strdup_printf ("%u", port);
  const int found = getaddrinfo (host, service, &hints, &addresses);
  if (found != 0)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "find '%s': %s", host, gai_strerror (found));
  int problem = 0;
  for (const struct addrinfo *address = addresses; address != NULL; address = address->ai_next)
    {
      *out_fd = connect_to (address, patience_ms);
      if (*out_fd >= 0)
        return true;
      problem = errno;
    }
  return vend_fail_errno (error, VEND_ERROR_UNAVAILABLE, problem, "connect to '%s' port %u", host,
                          port);
}

/* ---- TLS */

static char *
name_of_peer (gnutls_session_t session)
{
  unsigned int n = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers (session, &n);
  gnutls_x509_crt_t certificate = NULL;
  char name[MAX_NAME];
  size_t size = sizeof name;
  if (chain == NULL || n == 0 || gnutls_x509_crt_init (&certificate) < 0)
    return NULL;
  const bool is_read = gnutls_x509_crt_import (certificate, &chain[0], GNUTLS_X509_FMT_DER) >= 0
                       && gnutls_x509_crt_get_dn_by_oid (certificate, GNUTLS_OID_X520_COMMON_NAME,
                                                         0, 0, name, &size)
                              >= 0;
  gnutls_x509_crt_deinit (certificate);
  return is_read ? g_strndup (name, size) : NULL;
}

/* A certificate of the authority for the other part than ours: a machine is not believed when it
 * says that it is the control plane. */
static bool
check_peer (VendTlsStream *stream, bool is_server, GError **error)
{
  unsigned int status = 0;
  gnutls_typed_vdata_st purpose
      = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
          .data
          = (unsigned char *) (is_server ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER) };
  const int result = gnutls_certificate_verify_peers (stream->session, &purpose, 1, &status);
  if (result < 0 || status != 0)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE,
                      "the other side shows no certificate of this control plane");
  stream->peer = name_of_peer (stream->session);
  return stream->peer != NULL
         || vend_fail (error, VEND_ERROR_UNAVAILABLE, "the other side's certificate has no name");
}

static bool
shake_hands (VendTlsStream *stream, guint patience_ms, GError **error)
{
  const gint64 until = g_get_monotonic_time () + (gint64) patience_ms * 1000;
  int result;
  do
    result = gnutls_handshake (stream->session);
  while (result < 0 && gnutls_error_is_fatal (result) == 0 && g_get_monotonic_time () < until);
  return result >= 0
         || vend_fail (error, VEND_ERROR_UNAVAILABLE, "TLS: %s", gnutls_strerror (result));
}

/* Takes `fd`. */
static bool
begin (VendTlsIdentity *identity, int fd, bool is_server, guint patience_ms, VendTlsStream **out,
       GError **error)
{
  g_autoptr (VendTlsStream) stream = g_new0 (VendTlsStream, 1);
  stream->identity = vend_tls_identity_ref (identity);
  stream->fd = fd;
  stream->has_failed = true;
  set_patience (fd, patience_ms);
  prepare (fd);
  int result = gnutls_init (&stream->session, (is_server ? GNUTLS_SERVER : GNUTLS_CLIENT) | FLAGS);
  if (result >= 0)
    result = gnutls_priority_set_direct (stream->session, PRIORITY, NULL);
  if (result >= 0)
    result
        = gnutls_credentials_set (stream->session, GNUTLS_CRD_CERTIFICATE, identity->credentials);
  if (result < 0)
    return vend_fail (error, VEND_ERROR_INTERNAL, "begin TLS: %s", gnutls_strerror (result));
  if (is_server)
    gnutls_certificate_server_set_request (stream->session, GNUTLS_CERT_REQUIRE);
  gnutls_transport_set_int (stream->session, fd);
  gnutls_handshake_set_timeout (stream->session, patience_ms);
  if (!shake_hands (stream, patience_ms, error) || !check_peer (stream, is_server, error))
    return false;
  stream->has_failed = false;
  *out = g_steal_pointer (&stream);
  return true;
}

bool
vend_tls_stream_dial (VendTlsIdentity *identity, const char *host, guint port, guint patience_ms,
                      VendTlsStream **out, GError **error)
{
  int fd = -1;
  return dial (host, port, patience_ms, &fd, error)
         && begin (identity, fd, false, patience_ms, out, error);
}

bool
vend_tls_stream_accept (VendTlsIdentity *identity, int fd, guint patience_ms, VendTlsStream **out,
                        GError **error)
{
  return begin (identity, fd, true, patience_ms, out, error);
}

void
vend_tls_stream_free (VendTlsStream *stream)
{
  if (stream == NULL)
    return;
  if (stream->session != NULL)
    {
      set_patience (stream->fd, CLOSE_PATIENCE_MS);
      if (!stream->has_failed)
        (void) gnutls_bye (stream->session, GNUTLS_SHUT_WR);
      gnutls_deinit (stream->session);
    }
  vend_fd_clear (&stream->fd);
  vend_tls_identity_unref (stream->identity);
  g_free (stream->peer);
  g_free (stream);
}

const char *
vend_tls_stream_peer (const VendTlsStream *stream)
{
  return stream->peer;
}

void
vend_tls_stream_set_patience (VendTlsStream *stream, guint patience_ms)
{
  set_patience (stream->fd, patience_ms);
}

void
vend_tls_stream_shut (VendTlsStream *stream)
{
  (void) shutdown (stream->fd, SHUT_RDWR);
}

static bool
failed (VendTlsStream *stream, ssize_t result, const char *what, GError **error)
{
  stream->has_failed = true;
  if (result == GNUTLS_E_AGAIN)
    return vend_fail (error, VEND_ERROR_TIMEOUT, "%s: the other side does not move", what);
  return vend_fail (error, VEND_ERROR_UNAVAILABLE, "%s: %s", what, gnutls_strerror ((int) result));
}

bool
vend_tls_stream_read (VendTlsStream *stream, void *data, gsize size, gsize *out_n, GError **error)
{
  ssize_t n;
  do
    n = gnutls_record_recv (stream->session, data, size);
  while (n == GNUTLS_E_INTERRUPTED);
  if (n < 0)
    return failed (stream, n, "read", error);
  *out_n = (gsize) n;
  return true;
}

bool
vend_tls_stream_read_all (VendTlsStream *stream, void *data, gsize size, GError **error)
{
  guint8 *at = data;
  while (size > 0)
    {
      gsize n = 0;
      if (!vend_tls_stream_read (stream, at, size, &n, error))
        return false;
      if (n == 0)
        return vend_fail (error, VEND_ERROR_UNAVAILABLE, "the other side has closed");
      at += n;
      size -= n;
    }
  return true;
}

bool
vend_tls_stream_write (VendTlsStream *stream, const void *data, gsize size, GError **error)
{
  const guint8 *at = data;
  while (size > 0)
    {
      const ssize_t n = gnutls_record_send (stream->session, at, size);
      if (n == GNUTLS_E_INTERRUPTED)
        continue;
      if (n < 0)
        return failed (stream, n, "write", error);
      at += n;
      size -= (gsize) n;
    }
  return true;
}
