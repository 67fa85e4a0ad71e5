/* Bytes between a TLS connection and a local socket. Blocking. */
#include "machines/pipe.h"
#include "base/fd.h"
#include <errno.h>
#include <sys/socket.h>

#define PIECE ((gsize) 64 * 1024)

typedef struct
{
  VendTlsStream *stream;
  int fd;
} Pipe;

static void
bring_in (const Pipe *pipe)
{
  g_autofree guint8 *piece = g_malloc (PIECE);
  for (;;)
    {
      gsize n = 0;
      if (!vend_tls_stream_read (pipe->stream, piece, PIECE, &n, NULL) || n == 0
          || !vend_fd_write_all (pipe->fd, piece, n, NULL))
        return;
    }
}

static void
bring_out (const Pipe *pipe)
{
  g_autofree guint8 *piece = g_malloc (PIECE);
  for (;;)
    {
      const ssize_t n = read (pipe->fd, piece, PIECE);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0 || !vend_tls_stream_write (pipe->stream, piece, (gsize) n, NULL))
        return;
    }
}

static void
end_both (const Pipe *pipe)
{
  vend_tls_stream_shut (pipe->stream);
  (void) shutdown (pipe->fd, SHUT_RDWR);
}

static void *
run_in (void *data)
{
  bring_in (data);
  /* What has come stays readable. */
  (void) shutdown (((const Pipe *) data)->fd, SHUT_RDWR);
  vend_tls_stream_shut (((const Pipe *) data)->stream);
  return NULL;
}

void
vend_pipe_run (VendTlsStream *stream, int fd)
{
  Pipe pipe = { stream, fd };
  GThread *in = g_thread_try_new ("link in", run_in, &pipe, NULL);
  if (in != NULL)
    bring_out (&pipe);
  end_both (&pipe);
  if (in != NULL)
    g_thread_join (in);
}
