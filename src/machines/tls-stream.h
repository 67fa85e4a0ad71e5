/* A TLS connection over TCP on which both sides show a certificate of the control plane's authority
 * (httpd/tls-auto.h, httpd/tls-client.h). Functions block; one thread may read while another one
 * writes. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* A certificate, its key, and the authority that the other side's certificate must be of. Shared by
 * threads; not changed. */
typedef struct VendTlsIdentity VendTlsIdentity;

bool vend_tls_identity_new (const char *authority_pem, const char *certificate_pem,
                            const char *key_pem, VendTlsIdentity **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
VendTlsIdentity *vend_tls_identity_ref (VendTlsIdentity *identity);
void vend_tls_identity_unref (VendTlsIdentity *identity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendTlsIdentity, vend_tls_identity_unref)

typedef struct VendTlsStream VendTlsStream;

/* As client: the other side must be a server of the authority, whatever its address. UNAVAILABLE
 * when it is not reached or not believed within `patience_ms`. */
bool vend_tls_stream_dial (VendTlsIdentity *identity, const char *host, guint port,
                           guint patience_ms, VendTlsStream **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* As server, on an accepted connection, which is taken in any case. */
bool vend_tls_stream_accept (VendTlsIdentity *identity, int fd, guint patience_ms,
                             VendTlsStream **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* No thread may be in a call. */
void vend_tls_stream_free (VendTlsStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendTlsStream, vend_tls_stream_free)

/* The common name of the other side's certificate. Borrowed. */
const char *vend_tls_stream_peer (const VendTlsStream *stream);

/* A read or write that moves nothing for so long is an error; 0: never. */
void vend_tls_stream_set_patience (VendTlsStream *stream, guint patience_ms);

/* At least one byte; `*out_n` is 0 when the other side has closed properly. */
bool vend_tls_stream_read (VendTlsStream *stream, void *data, gsize size, gsize *out_n,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* All of them: an earlier end is UNAVAILABLE. */
bool vend_tls_stream_read_all (VendTlsStream *stream, void *data, gsize size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_tls_stream_write (VendTlsStream *stream, const void *data, gsize size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Any thread: calls that are under way, and all later ones, fail. */
void vend_tls_stream_shut (VendTlsStream *stream);
