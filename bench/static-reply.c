/* The floor under bench/create: a server of the same library that reads a body and answers 201 with
 * fixed bytes, and does nothing else. Prints its port; runs until its standard input ends. */
#include <glib.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* About as long as a prediction that has just been created. */
#define BODY_SIZE 620
#define MAX_THREADS 64

static enum MHD_Result
answer (void *context, struct MHD_Connection *connection, const char *url, const char *method,
        const char *version, const char *upload, size_t *upload_size, void **state)
{
  if (*state == NULL)
    {
      *state = connection;
      return MHD_YES;
    }
  if (*upload_size > 0)
    {
      *upload_size = 0;
      return MHD_YES;
    }
  return MHD_queue_response (connection, MHD_HTTP_CREATED, context);
}

int
main (int argc, char **argv)
{
  const guint64 threads = argc > 1 ? g_ascii_strtoull (argv[1], NULL, 10) : 4;
  if (threads < 2 || threads > MAX_THREADS)
    {
      fprintf (stderr, "Usage: static-reply [THREADS], 2 to %d\n", MAX_THREADS);
      return 2;
    }
  char body[BODY_SIZE];
  memset (body, 'x', sizeof body);
  struct MHD_Response *response
      = MHD_create_response_from_buffer (sizeof body, body, MHD_RESPMEM_MUST_COPY);
  MHD_add_response_header (response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
  struct MHD_Daemon *daemon = MHD_start_daemon (
      MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, response, MHD_OPTION_THREAD_POOL_SIZE,
      (unsigned int) threads, MHD_OPTION_CONNECTION_LIMIT, (unsigned int) 4096, MHD_OPTION_END);
  if (daemon == NULL)
    {
      fprintf (stderr, "static-reply: cannot start\n");
      return 1;
    }
  printf ("%u\n", MHD_get_daemon_info (daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
  fflush (stdout);
  char byte;
  while (read (STDIN_FILENO, &byte, 1) > 0)
    ;
  MHD_stop_daemon (daemon);
  MHD_destroy_response (response);
  return 0;
}
