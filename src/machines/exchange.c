/* Frames on a TLS connection, and how a connection begins. Blocking. */
#include "machines/exchange.h"
#include "base/error.h"
#include "runner/frame.h"
#include <string.h>

#define DIAL_PATIENCE_MS 10000
#define PIECE ((gsize) 64 * 1024)

bool
vend_exchange_send (VendTlsStream *stream, const json_t *frame, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  return vend_frame_append (bytes, frame, VEND_EXCHANGE_FRAME_MAX, error)
         && vend_tls_stream_write (stream, bytes->data, bytes->len, error);
}

/* Memory grows with what has come, not with what is announced. */
static bool
read_text (VendTlsStream *stream, gsize size, GByteArray *text, GError **error)
{
  while (text->len < size)
    {
      const guint before = text->len;
      const gsize piece = MIN (size - before, PIECE);
      g_byte_array_set_size (text, before + (guint) piece);
      if (!vend_tls_stream_read_all (stream, text->data + before, piece, error))
        return false;
    }
  return true;
}

bool
vend_exchange_receive (VendTlsStream *stream, gsize limit, json_t **out, GError **error)
{
  g_autoptr (GByteArray) text = g_byte_array_new ();
  json_auto_t *frame = NULL;
  guint32 size = 0;
  if (!vend_tls_stream_read_all (stream, &size, sizeof size, error))
    return false;
  size = GUINT32_FROM_BE (size);
  if (size > limit)
    return vend_fail (error, VEND_ERROR_TOO_LARGE, "a frame is too long");
  if (!read_text (stream, size, text, error)
      || !vend_json_parse ((const char *) text->data, text->len, &frame, error))
    return false;
  if (!json_is_object (frame))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "a frame is no JSON object");
  *out = json_incref (frame);
  return true;
}

char *
vend_exchange_peer_name (const char *kind, const char *id)
{
  return g_strconcat (kind, "/", id, NULL);
}

const char *
vend_exchange_peer_id (const char *peer, const char *kind)
{
  const gsize length = strlen (kind);
  return strncmp (peer, kind, length) == 0 && peer[length] == '/' ? peer + length + 1 : NULL;
}

void
vend_dialer_clear (VendDialer *dialer)
{
  g_clear_pointer (&dialer->identity, vend_tls_identity_unref);
  g_clear_pointer (&dialer->host, g_free);
}

VendDialer
vend_dialer_copy (const VendDialer *dialer)
{
  return (VendDialer){ vend_tls_identity_ref (dialer->identity), g_strdup (dialer->host),
                       dialer->port };
}

static bool
greet (VendTlsStream *stream, const json_t *hello, json_t **out_welcome, GError **error)
{
  json_auto_t *answer = NULL;
  if (!vend_exchange_send (stream, hello, error)
      || !vend_exchange_receive (stream, VEND_EXCHANGE_HELLO_MAX, &answer, error))
    return false;
  const char *refused = vend_json_string (answer, "refused");
  if (refused != NULL)
    return vend_fail (error,
                      vend_json_bool (answer, "for_good", false) ? VEND_ERROR_CONFLICT
                                                                 : VEND_ERROR_UNAVAILABLE,
                      "%s", refused);
  if (out_welcome != NULL)
    *out_welcome = json_incref (answer);
  return true;
}

bool
vend_dialer_open (const VendDialer *dialer, const char *kind, json_t *take_hello,
                  VendTlsStream **out, json_t **out_welcome, GError **error)
{
  json_auto_t *hello = take_hello;
  g_autoptr (VendTlsStream) stream = NULL;
  vend_json_set_string (hello, "hello", kind);
  vend_json_set_int (hello, "protocol", VEND_EXCHANGE_PROTOCOL);
  if (!vend_tls_stream_dial (dialer->identity, dialer->host, dialer->port, DIAL_PATIENCE_MS,
                             &stream, error)
      || !greet (stream, hello, out_welcome, error))
    return false;
  *out = g_steal_pointer (&stream);
  return true;
}
