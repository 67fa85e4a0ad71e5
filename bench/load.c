/* Load generator: N keep-alive connections, each sends the same request again as soon as its reply
 * is complete. Counts replies by status, and keeps the latency of the good ones only. One thread.
 *
 * The window counts replies that come in it, whenever they were asked for, so it has to begin after
 * the load is steady (--warm-up). After the window each connection waits for its last reply: what
 * one run leaves in a queue would be work in the window of the next one.
 *
 * Unlike general tools it knows what a good reply is, so that fast refusals do not look like fast
 * answers. Prints one JSON object. */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_STATUS 600
#define MAX_CLIENTS 4096
#define MAX_EVENTS 256
#define READ_SIZE ((gsize) 64 * 1024)
#define MAX_REPLY ((gsize) 16 << 20)
#define DRAIN_S 60

typedef struct
{
  char *address;
  int port;
  char *path;
  char **headers;
  char *method;
  char *body;
  char *expect;
  int clients;
  double seconds;
  double warm_up;
} Options;

typedef struct
{
  int fd;
  int64_t begun_us;
  bool asking; /* its reply is not whole yet */
  GString *in;
} Client;

typedef struct
{
  const Options *options;
  GString *request;
  Client *clients;
  int epoll_fd;
  int64_t count_from_us;
  int64_t count_to_us;
  int n_asking;
  guint64 statuses[MAX_STATUS];
  guint64 unexpected; /* good status, but not the text that was asked for */
  guint64 broken;
  GArray *latencies; /* guint32, microseconds */
} Load;

static bool
client_connect (Load *load, Client *client)
{
  struct sockaddr_in address
      = { .sin_family = AF_INET, .sin_port = htons ((uint16_t) load->options->port) };
  if (inet_pton (AF_INET, load->options->address, &address.sin_addr) != 1)
    return false;
  client->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client->fd < 0
      || connect (client->fd, (const struct sockaddr *) &address, sizeof address) < 0)
    return false;
  const int on = 1;
  (void) !setsockopt (client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
  return epoll_ctl (load->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) == 0;
}

/* Requests are far smaller than a socket buffer, so a blocking send does not block. */
static bool
client_ask (Load *load, Client *client)
{
  g_string_truncate (client->in, 0);
  client->begun_us = g_get_monotonic_time ();
  client->asking = true;
  load->n_asking++;
  return send (client->fd, load->request->str, load->request->len, MSG_NOSIGNAL)
         == (ssize_t) load->request->len;
}

/* The next request, until the window is over. */
static bool
client_ask_next (Load *load, Client *client)
{
  return g_get_monotonic_time () >= load->count_to_us || client_ask (load, client);
}

static bool
client_again (Load *load, Client *client)
{
  if (client->fd >= 0)
    close (client->fd);
  client->fd = -1;
  return g_get_monotonic_time () >= load->count_to_us
         || (client_connect (load, client) && client_ask (load, client));
}

static const char *
header_value (const char *head, const char *end, const char *name)
{
  const gsize length = strlen (name);
  for (const char *line = strstr (head, "\r\n"); line != NULL && line < end;
       line = strstr (line + 2, "\r\n"))
    if (strncasecmp (line + 2, name, length) == 0 && line[2 + length] == ':')
      return line + 3 + length;
  return NULL;
}

/* Sets *out_body when the reply is whole. */
static bool
reply_is_whole (const Client *client, const char **out_body)
{
  const char *text = client->in->str;
  const char *end = strstr (text, "\r\n\r\n");
  if (end == NULL)
    return false;
  *out_body = end + 4;
  const gsize have = client->in->len - (gsize) (*out_body - text);
  const char *length = header_value (text, end, "content-length");
  if (length != NULL)
    return have >= g_ascii_strtoull (length, NULL, 10);
  if (header_value (text, end, "transfer-encoding") != NULL)
    return g_str_has_suffix (text, "\r\n0\r\n\r\n");
  return true;
}

static void
count (Load *load, const Client *client, const char *body)
{
  const int64_t now_us = g_get_monotonic_time ();
  if (now_us < load->count_from_us || now_us >= load->count_to_us)
    return;
  const guint64 status
      = client->in->len > 12 ? g_ascii_strtoull (client->in->str + 9, NULL, 10) : 0;
  if (status == 0 || status >= MAX_STATUS)
    {
      load->broken++;
      return;
    }
  load->statuses[status]++;
  if (status != 200 && status != 201)
    return;
  if (load->options->expect != NULL && strstr (body, load->options->expect) == NULL)
    {
      load->unexpected++;
      return;
    }
  const guint32 took_us = (guint32) (now_us - client->begun_us);
  g_array_append_val (load->latencies, took_us);
}

static void
client_done (Load *load, Client *client)
{
  if (client->asking)
    load->n_asking--;
  client->asking = false;
}

static bool
client_read (Load *load, Client *client)
{
  char chunk[READ_SIZE];
  const char *body = NULL;
  const ssize_t n = recv (client->fd, chunk, sizeof chunk, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return true;
  if (n <= 0 || client->in->len + (gsize) n > MAX_REPLY)
    {
      load->broken++;
      client_done (load, client);
      return client_again (load, client);
    }
  g_string_append_len (client->in, chunk, n);
  if (!reply_is_whole (client, &body))
    return true;
  client_done (load, client);
  count (load, client, body);
  if (header_value (client->in->str, body, "connection") != NULL
      && strcasestr (client->in->str, "connection: close") != NULL)
    return client_again (load, client);
  return client_ask_next (load, client);
}

static bool
turn (Load *load)
{
  struct epoll_event events[MAX_EVENTS];
  const int n = epoll_wait (load->epoll_fd, events, MAX_EVENTS, 100);
  for (int i = 0; i < n; i++)
    if (!client_read (load, events[i].data.ptr))
      return false;
  return true;
}

static bool
run (Load *load)
{
  const Options *options = load->options;
  const int64_t start_us = g_get_monotonic_time ();
  load->count_from_us = start_us + (int64_t) (options->warm_up * 1e6);
  load->count_to_us = load->count_from_us + (int64_t) (options->seconds * 1e6);
  for (int i = 0; i < options->clients; i++)
    {
      load->clients[i].in = g_string_new (NULL);
      load->clients[i].fd = -1;
      if (!client_again (load, &load->clients[i]))
        return false;
    }
  while (g_get_monotonic_time () < load->count_to_us)
    if (!turn (load))
      return false;
  const int64_t give_up_us = load->count_to_us + DRAIN_S * G_USEC_PER_SEC;
  while (load->n_asking > 0 && g_get_monotonic_time () < give_up_us)
    if (!turn (load))
      return false;
  return true;
}

static int
by_size (const void *a, const void *b)
{
  const guint32 x = *(const guint32 *) a, y = *(const guint32 *) b;
  return x < y ? -1 : x > y;
}

static guint32
percentile (const GArray *sorted, double part)
{
  if (sorted->len == 0)
    return 0;
  const guint at = (guint) (part * (double) (sorted->len - 1));
  return g_array_index (sorted, guint32, at);
}

static void
print_result (Load *load)
{
  g_array_sort (load->latencies, by_size);
  printf ("{\"clients\": %d, \"good\": %u, \"rate\": %.1f, \"p50_us\": %u, \"p90_us\": %u, "
          "\"p99_us\": %u, \"max_us\": %u, \"unexpected\": %" G_GUINT64_FORMAT
          ", \"broken\": %" G_GUINT64_FORMAT ", \"unanswered\": %d, \"statuses\": {",
          load->options->clients, load->latencies->len,
          (double) load->latencies->len / load->options->seconds, percentile (load->latencies, 0.5),
          percentile (load->latencies, 0.9), percentile (load->latencies, 0.99),
          percentile (load->latencies, 1), load->unexpected, load->broken, load->n_asking);
  const char *separator = "";
  for (guint i = 0; i < MAX_STATUS; i++)
    if (load->statuses[i] > 0)
      {
        printf ("%s\"%u\": %" G_GUINT64_FORMAT, separator, i, load->statuses[i]);
        separator = ", ";
      }
  printf ("}}\n");
}

static GString *
build_request (const Options *options)
{
  GString *request = g_string_new (NULL);
  g_string_append_printf (request, "%s %s HTTP/1.1\r\nHost: %s:%d\r\n", options->method,
                          options->path, options->address, options->port);
  for (char **header = options->headers; header != NULL && *header != NULL; header++)
    g_string_append_printf (request, "%s\r\n", *header);
  if (options->body != NULL)
    g_string_append_printf (
        request, "Content-Type: application/json\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n",
        strlen (options->body));
  g_string_append (request, "\r\n");
  if (options->body != NULL)
    g_string_append (request, options->body);
  return request;
}

static void
load_clear (Load *load)
{
  for (int i = 0; i < load->options->clients; i++)
    {
      if (load->clients[i].in == NULL)
        continue;
      g_string_free (load->clients[i].in, TRUE);
      if (load->clients[i].fd >= 0)
        close (load->clients[i].fd);
    }
  g_free (load->clients);
  g_array_unref (load->latencies);
  g_string_free (load->request, TRUE);
  close (load->epoll_fd);
}

static bool
parse (int argc, char **argv, Options *options, GError **error)
{
  const GOptionEntry entries[] = {
    { "address", 'a', 0, G_OPTION_ARG_STRING, &options->address, "IPv4 address", "ADDRESS" },
    { "port", 'p', 0, G_OPTION_ARG_INT, &options->port, "port", "PORT" },
    { "path", 'u', 0, G_OPTION_ARG_STRING, &options->path, "path", "PATH" },
    { "method", 'X', 0, G_OPTION_ARG_STRING, &options->method, "method", "METHOD" },
    { "header", 'H', 0, G_OPTION_ARG_STRING_ARRAY, &options->headers, "header", "LINE" },
    { "body", 'b', 0, G_OPTION_ARG_STRING, &options->body, "JSON body", "TEXT" },
    { "expect", 'e', 0, G_OPTION_ARG_STRING, &options->expect, "text in a good reply", "TEXT" },
    { "clients", 'c', 0, G_OPTION_ARG_INT, &options->clients, "connections", "N" },
    { "seconds", 's', 0, G_OPTION_ARG_DOUBLE, &options->seconds, "measured time", "S" },
    { "warm-up", 'w', 0, G_OPTION_ARG_DOUBLE, &options->warm_up, "time before it", "S" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, &argc, &argv, error);
}

static void
set_default (char **field, const char *text)
{
  if (*field == NULL)
    *field = g_strdup (text);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Options options = { .clients = 1, .seconds = 2, .warm_up = 0.5 };
  if (!parse (argc, argv, &options, &error))
    {
      fprintf (stderr, "load: %s\n", error->message);
      return 2;
    }
  set_default (&options.address, "127.0.0.1");
  set_default (&options.path, "/");
  set_default (&options.method, "GET");
  if (options.clients < 1 || options.clients > MAX_CLIENTS || options.port < 1
      || options.port > G_MAXUINT16)
    {
      fprintf (stderr, "load: 1 to %d clients, and a port\n", MAX_CLIENTS);
      return 2;
    }
  Load load = { .options = &options,
                .request = build_request (&options),
                .clients = g_new0 (Client, (gsize) options.clients),
                .epoll_fd = epoll_create1 (EPOLL_CLOEXEC),
                .latencies = g_array_new (FALSE, FALSE, sizeof (guint32)) };
  const bool good = run (&load);
  if (good)
    print_result (&load);
  else
    fprintf (stderr, "load: cannot connect to %s:%d: %s\n", options.address, options.port,
             g_strerror (errno));
  load_clear (&load);
  g_free (options.address);
  g_free (options.path);
  g_free (options.method);
  g_free (options.body);
  g_free (options.expect);
  g_strfreev (options.headers);
  return good ? 0 : 1;
}
