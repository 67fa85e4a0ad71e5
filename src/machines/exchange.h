/* Frames (runner/frame.h) on a TLS connection. Each connection to the control plane begins with a
 * `hello` of the side that has dialed, which is answered by `welcome`, or by a sentence in
 * `refused` (docs/architecture/machines.md). Blocking. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"
#include "machines/tls-stream.h"

#define VEND_EXCHANGE_PROTOCOL 1
#define VEND_EXCHANGE_FRAME_MAX ((gsize) 1 << 29)
#define VEND_EXCHANGE_HELLO_MAX ((gsize) 4 << 20) /* and of what answers it */

bool vend_exchange_send (VendTlsStream *stream, const json_t *frame, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* UNAVAILABLE when the other side has closed. */
bool vend_exchange_receive (VendTlsStream *stream, gsize limit, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Who the other side is by its certificate: `kind` is VEND_PEER_MACHINE or VEND_PEER_INSTANCE. Free
 * with g_free. */
#define VEND_PEER_MACHINE "machine"
#define VEND_PEER_INSTANCE "instance"
char *vend_exchange_peer_name (const char *kind, const char *id) G_GNUC_WARN_UNUSED_RESULT;
/* The id in the common name; NULL: it is of another kind. Borrowed from `peer`. */
const char *vend_exchange_peer_id (const char *peer, const char *kind);

/* Where the control plane is, and as whom it is dialed. */
typedef struct
{
  VendTlsIdentity *identity;
  char *host;
  guint port;
} VendDialer;

void vend_dialer_clear (VendDialer *dialer);
VendDialer vend_dialer_copy (const VendDialer *dialer) G_GNUC_WARN_UNUSED_RESULT;

/* Dials and says `hello` (taken; protocol and `kind` are added). `*out_welcome` may be NULL.
 * CONFLICT, with its sentence, when the control plane refuses for good; else UNAVAILABLE. */
bool vend_dialer_open (const VendDialer *dialer, const char *kind, json_t *take_hello,
                       VendTlsStream **out, json_t **out_welcome, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
