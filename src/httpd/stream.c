/* Streams: a bounded buffer between a writer on any thread and the connection thread that sends.
 *
 * Two owners, the writer and the reply. The lock is held while the connection is resumed, so the
 * sending side, which takes the lock when it ends, cannot be freed meanwhile. */
#include "httpd/httpd-private.h"
#include <string.h>
#include <sys/socket.h>

#define FIRST_CAPACITY 1024
#define BLOCK_BYTES (32 * 1024)

struct VendStream
{
  pthread_mutex_t lock;
  guint owners;
  char *data;
  gsize start; /* start of the waiting bytes */
  gsize size;
  gsize capacity;
  bool ended;  /* by the writer */
  bool broken; /* the reader was too slow, or the server stops */
  bool no_reader;
  bool asleep;
  struct MHD_Connection *connection; /* NULL until attached */
  VendWorker *worker;
  GList link; /* in VendWorker.streams */
};

VendStream *
vend_stream_new (void)
{
  VendStream *stream = g_new0 (VendStream, 1);
  pthread_mutex_init (&stream->lock, NULL);
  stream->owners = 2;
  stream->link.data = stream;
  return stream;
}

static void
unlock_and_drop (VendStream *stream)
{
  const bool last = --stream->owners == 0;
  pthread_mutex_unlock (&stream->lock);
  if (!last)
    return;
  pthread_mutex_destroy (&stream->lock);
  g_free (stream->data);
  g_free (stream);
}

static void
wake (VendStream *stream)
{
  if (!stream->asleep)
    return;
  stream->asleep = false;
  vend_worker_resume (stream->worker, stream->connection);
}

/* Makes room for `size` more bytes after the waiting bytes. */
static void
reserve (VendStream *stream, gsize size)
{
  if (stream->start + stream->size + size <= stream->capacity)
    return;
  if (stream->size > 0)
    memmove (stream->data, stream->data + stream->start, stream->size);
  stream->start = 0;
  gsize capacity = MAX (stream->capacity, FIRST_CAPACITY);
  while (capacity < stream->size + size)
    capacity *= 2;
  if (capacity == stream->capacity)
    return;
  stream->data = g_realloc (stream->data, capacity);
  stream->capacity = capacity;
}

bool
vend_stream_write (VendStream *stream, const void *data, gsize size)
{
  pthread_mutex_lock (&stream->lock);
  bool open = !stream->broken && !stream->no_reader && !stream->ended;
  if (open && size > VEND_HTTPD_STREAM_BYTES - stream->size)
    {
      open = false;
      stream->broken = true;
      /* A reader that does not read would keep the connection until the idle timeout. The socket is
       * valid, since the reply still owns the stream. */
      const union MHD_ConnectionInfo *info
          = stream->connection == NULL
                ? NULL
                : MHD_get_connection_info (stream->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
      if (info != NULL)
        shutdown (info->connect_fd, SHUT_RDWR);
      wake (stream);
    }
  if (open && size > 0)
    {
      reserve (stream, size);
      memcpy (stream->data + stream->start + stream->size, data, size);
      stream->size += size;
      wake (stream);
    }
  pthread_mutex_unlock (&stream->lock);
  return open;
}

bool
vend_stream_is_open (VendStream *stream)
{
  pthread_mutex_lock (&stream->lock);
  bool open = !stream->broken && !stream->no_reader && !stream->ended;
  pthread_mutex_unlock (&stream->lock);
  return open;
}

void
vend_stream_end (VendStream *stream)
{
  pthread_mutex_lock (&stream->lock);
  stream->ended = true;
  wake (stream);
  unlock_and_drop (stream);
}

static ssize_t
read_stream (void *data, uint64_t position, char *buffer, size_t room)
{
  VendStream *stream = data;
  ssize_t n = 0;
  stream->worker->conns.progress = true;
  pthread_mutex_lock (&stream->lock);
  if (stream->broken)
    n = MHD_CONTENT_READER_END_WITH_ERROR;
  else if (stream->size > 0)
    {
      n = (ssize_t) MIN (room, stream->size);
      memcpy (buffer, stream->data + stream->start, (gsize) n);
      stream->size -= (gsize) n;
      stream->start = stream->size == 0 ? 0 : stream->start + (gsize) n;
    }
  else if (stream->ended)
    n = MHD_CONTENT_READER_END_OF_STREAM;
  else
    {
      stream->asleep = true;
      MHD_suspend_connection (stream->connection);
    }
  pthread_mutex_unlock (&stream->lock);
  return n;
}

static void
release_stream (void *data)
{
  VendStream *stream = data;
  if (stream->worker != NULL)
    g_queue_unlink (&stream->worker->streams, &stream->link);
  pthread_mutex_lock (&stream->lock);
  stream->no_reader = true;
  unlock_and_drop (stream);
}

struct MHD_Response *
vend_stream_response (VendStream *stream)
{
  return MHD_create_response_from_callback (MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, stream,
                                            release_stream);
}

void
vend_stream_attach (VendStream *stream, VendCall *call)
{
  pthread_mutex_lock (&stream->lock);
  stream->connection = call->connection;
  stream->worker = call->worker;
  pthread_mutex_unlock (&stream->lock);
  g_queue_push_tail_link (&call->worker->streams, &stream->link);
}

void
vend_stream_abort_all (VendWorker *worker)
{
  for (GList *link = worker->streams.head; link != NULL; link = link->next)
    {
      VendStream *stream = link->data;
      pthread_mutex_lock (&stream->lock);
      stream->broken = true;
      wake (stream);
      pthread_mutex_unlock (&stream->lock);
    }
}
