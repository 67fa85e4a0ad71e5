/* A director's way to the control plane on another machine. */
#include "director/dial.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "machines/transfer.h"
#include "runner/frame.h"
#include "runner/journal.h"
#include "runner/link.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#define FIRST_PAUSE_US (200 * VEND_US_PER_MS)
#define LONGEST_PAUSE_US (2 * VEND_US_PER_S)
#define GOODBYE_US (2 * VEND_US_PER_S)
/* While a file goes out, the control plane hears that the director lives. */
#define PONG_US (2 * VEND_US_PER_S)
#define MAX_SMALL ((gsize) 1024) /* of an acknowledgement */
#define FILE_MARK "\"$vend.file\""
#define ACK_MARK "\"command\":\"ack\""

struct VendDial
{
  char *instance;
  char *socket;
  VendDialer dialer;
  GThread *thread;

  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t poked;
  bool closing;
  bool has_ended;        /* the thread */
  VendTlsStream *stream; /* borrowed from the thread; NULL: not connected */
  GHashTable *files;     /* key of a run → GPtrArray of paths that were brought */
};

typedef struct
{
  VendDial *dial;
  VendTlsStream *stream;
  int fd;
  int64_t said_us;
} Way;

/* ---- Files of results */

static void
note_files (VendDial *dial, const json_t *frame, GPtrArray *paths)
{
  const char *prediction = vend_json_string (frame, "prediction");
  if (prediction == NULL || paths->len == 0)
    return;
  g_autofree char *key = vend_journal_key (prediction, vend_json_int (frame, "attempt", 0));
  pthread_mutex_lock (&dial->lock);
  GPtrArray *known = g_hash_table_lookup (dial->files, key);
  if (known == NULL)
    {
      known = g_ptr_array_new_with_free_func (g_free);
      g_hash_table_insert (dial->files, g_strdup (key), known);
    }
  for (guint i = 0; i < paths->len; i++)
    if (!g_ptr_array_find_with_equal_func (known, g_ptr_array_index (paths, i), g_str_equal, NULL))
      g_ptr_array_add (known, g_strdup (g_ptr_array_index (paths, i)));
  pthread_mutex_unlock (&dial->lock);
}

static void
remove_files (VendDial *dial, const char *text, gsize size)
{
  json_auto_t *frame = NULL;
  void *key = NULL, *paths = NULL;
  if (size > MAX_SMALL || memmem (text, size, ACK_MARK, strlen (ACK_MARK)) == NULL
      || !vend_json_parse (text, size, &frame, NULL))
    return;
  const char *prediction = vend_json_string (frame, "prediction");
  if (prediction == NULL)
    return;
  g_autofree char *wanted = vend_journal_key (prediction, vend_json_int (frame, "attempt", 0));
  pthread_mutex_lock (&dial->lock);
  const bool found = g_hash_table_steal_extended (dial->files, wanted, &key, &paths);
  pthread_mutex_unlock (&dial->lock);
  if (!found)
    return;
  for (guint i = 0; i < ((GPtrArray *) paths)->len; i++)
    (void) unlink (g_ptr_array_index ((GPtrArray *) paths, i));
  g_ptr_array_unref (paths);
  g_free (key);
}

/* ---- Frames */

static bool
read_all (int fd, void *data, gsize size)
{
  guint8 *at = data;
  while (size > 0)
    {
      const ssize_t n = read (fd, at, size);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return false;
      at += n;
      size -= (gsize) n;
    }
  return true;
}

static gsize
length_of (const guint8 *header)
{
  guint32 length;
  memcpy (&length, header, sizeof length);
  return GUINT32_FROM_BE (length);
}

static void
pong (void *data)
{
  Way *way = data;
  const int64_t now_us = g_get_monotonic_time ();
  if (now_us - way->said_us < PONG_US)
    return;
  json_auto_t *frame = json_pack ("{s:s}", "event", "pong");
  way->said_us = now_us;
  (void) !vend_exchange_send (way->stream, frame, NULL);
}

static bool
send_with_files (Way *way, const char *text, gsize size, GError **error)
{
  VendDial *dial = way->dial;
  json_auto_t *frame = NULL;
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  way->said_us = g_get_monotonic_time ();
  if (!vend_json_parse (text, size, &frame, error)
      || !vend_transfer_bring_outputs (&dial->dialer, dial->instance, frame, pong, way, paths,
                                       error))
    return false;
  note_files (dial, frame, paths);
  return vend_exchange_send (way->stream, frame, error);
}

/* A frame with its header; a string of the model may look like a file, and goes as it is. */
static bool
send_frame (Way *way, const GByteArray *frame, GError **error)
{
  const char *text = (const char *) frame->data + VEND_FRAME_HEADER_SIZE;
  const gsize size = frame->len - VEND_FRAME_HEADER_SIZE;
  if (memmem (text, size, FILE_MARK, strlen (FILE_MARK)) != NULL)
    return send_with_files (way, text, size, error);
  return vend_tls_stream_write (way->stream, frame->data, frame->len, error);
}

static bool
bring_out (Way *way, GError **error)
{
  for (;;)
    {
      g_autoptr (GByteArray) frame = g_byte_array_new ();
      guint8 header[VEND_FRAME_HEADER_SIZE];
      if (!read_all (way->fd, header, sizeof header))
        return true;
      const gsize size = length_of (header);
      g_byte_array_append (frame, header, sizeof header);
      g_byte_array_set_size (frame, (guint) (sizeof header + size));
      if (!read_all (way->fd, frame->data + sizeof header, size))
        return true;
      if (!send_frame (way, frame, error))
        return false;
    }
}

static bool
bring_in (const Way *way)
{
  for (;;)
    {
      g_autoptr (GByteArray) frame = g_byte_array_new ();
      guint8 header[VEND_FRAME_HEADER_SIZE];
      if (!vend_tls_stream_read_all (way->stream, header, sizeof header, NULL))
        return false;
      const gsize size = length_of (header);
      if (size > VEND_EXCHANGE_FRAME_MAX)
        return false;
      g_byte_array_append (frame, header, sizeof header);
      g_byte_array_set_size (frame, (guint) (sizeof header + size));
      if (!vend_tls_stream_read_all (way->stream, frame->data + sizeof header, size, NULL))
        return false;
      remove_files (way->dial, (const char *) frame->data + sizeof header, size);
      if (!vend_fd_write_all (way->fd, frame->data, frame->len, NULL))
        return false;
    }
}

static void *
run_in (void *data)
{
  const Way *way = data;
  (void) bring_in (way);
  (void) shutdown (way->fd, SHUT_RDWR);
  vend_tls_stream_shut (way->stream);
  return NULL;
}

/* ---- A connection */

static bool
open_socket (const VendDial *dial, int *out_fd, GError **error)
{
  if (!vend_link_open (dial->socket, out_fd, error))
    return false;
  const int flags = fcntl (*out_fd, F_GETFL);
  (void) fcntl (*out_fd, F_SETFL, flags & ~O_NONBLOCK);
  return true;
}

static void
set_stream (VendDial *dial, VendTlsStream *stream)
{
  pthread_mutex_lock (&dial->lock);
  dial->stream = stream;
  pthread_mutex_unlock (&dial->lock);
}

static bool
carry (VendDial *dial, bool *out_was_in, GError **error)
{
  g_autoptr (VendTlsStream) stream = NULL;
  vend_autofd fd = -1;
  if (!vend_dialer_open (&dial->dialer, "director", json_object (), &stream, NULL, error))
    return false;
  vend_tls_stream_set_patience (stream, 0);
  if (!open_socket (dial, &fd, error))
    return false;
  *out_was_in = true;
  set_stream (dial, stream);
  Way way = { .dial = dial, .stream = stream, .fd = fd };
  GThread *in = g_thread_try_new ("uplink in", run_in, &way, error);
  const bool good = in != NULL && bring_out (&way, error);
  set_stream (dial, NULL);
  vend_tls_stream_shut (stream);
  (void) shutdown (fd, SHUT_RDWR);
  if (in != NULL)
    g_thread_join (in);
  return good;
}

/* False once it is to end. */
static bool
pause_for (VendDial *dial, int64_t pause_us)
{
  const int64_t until_us = g_get_monotonic_time () + pause_us;
  pthread_mutex_lock (&dial->lock);
  while (!dial->closing && vend_cond_wait_until (&dial->poked, &dial->lock, until_us))
    ;
  const bool goes_on = !dial->closing;
  pthread_mutex_unlock (&dial->lock);
  return goes_on;
}

static void
dial_on (VendDial *dial)
{
  int64_t pause_us = FIRST_PAUSE_US;
  do
    {
      g_autoptr (GError) error = NULL;
      bool was_in = false;
      if (!carry (dial, &was_in, &error))
        vend_log (VEND_LOG_WARN, "not connected to the control plane", "error", error->message,
                  NULL);
      if (!was_in && g_error_matches (error, VEND_ERROR, VEND_ERROR_CONFLICT))
        {
          (void) kill (getpid (), SIGTERM);
          return;
        }
      pause_us = was_in ? FIRST_PAUSE_US : MIN (2 * pause_us, LONGEST_PAUSE_US);
    }
  while (pause_for (dial, pause_us));
}

static void *
dial_main (void *data)
{
  VendDial *dial = data;
  dial_on (dial);
  pthread_mutex_lock (&dial->lock);
  dial->has_ended = true;
  pthread_cond_broadcast (&dial->poked);
  pthread_mutex_unlock (&dial->lock);
  return NULL;
}

/* ---- Life */

static bool
read_uplink (VendDial *dial, const json_t *uplink, GError **error)
{
  const char *host = vend_json_string (uplink, "host");
  const char *authority = vend_json_string (uplink, "authority");
  const char *certificate = vend_json_string (uplink, "certificate");
  const char *key = vend_json_string (uplink, "key");
  const int64_t port = vend_json_int (uplink, "port", 0);
  if (host == NULL || authority == NULL || certificate == NULL || key == NULL || port < 1
      || port > 65535)
    return vend_fail (error, VEND_ERROR_INVALID, "the uplink lacks a field");
  dial->dialer.host = g_strdup (host);
  dial->dialer.port = (guint) port;
  return vend_tls_identity_new (authority, certificate, key, &dial->dialer.identity, error);
}

bool
vend_dial_start (const char *dir, const char *instance, const json_t *uplink, VendDial **out,
                 GError **error)
{
  VendDial *dial = g_new0 (VendDial, 1);
  dial->instance = g_strdup (instance);
  dial->socket = g_build_filename (dir, "director.sock", NULL);
  dial->files
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  pthread_mutex_init (&dial->lock, NULL);
  vend_cond_init (&dial->poked);
  if (read_uplink (dial, uplink, error))
    dial->thread = g_thread_try_new ("uplink", dial_main, dial, error);
  if (dial->thread == NULL)
    {
      vend_dial_free (dial);
      return false;
    }
  *out = dial;
  return true;
}

void
vend_dial_free (VendDial *dial)
{
  if (dial == NULL)
    return;
  const int64_t until_us = g_get_monotonic_time () + GOODBYE_US;
  pthread_mutex_lock (&dial->lock);
  dial->closing = true;
  pthread_cond_broadcast (&dial->poked);
  while (dial->thread != NULL && !dial->has_ended
         && vend_cond_wait_until (&dial->poked, &dial->lock, until_us))
    ;
  if (dial->stream != NULL)
    vend_tls_stream_shut (dial->stream);
  pthread_mutex_unlock (&dial->lock);
  if (dial->thread != NULL)
    g_thread_join (dial->thread);
  vend_dialer_clear (&dial->dialer);
  g_hash_table_unref (dial->files);
  pthread_cond_destroy (&dial->poked);
  pthread_mutex_destroy (&dial->lock);
  g_free (dial->socket);
  g_free (dial->instance);
  g_free (dial);
}

const VendDialer *
vend_dial_dialer (const VendDial *dial)
{
  return &dial->dialer;
}
