/* A client that sends exactly what a test says and reads one reply at a time. */
#include "raw-client.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

RawClient *
raw_connect (guint port)
{
  RawClient *client = g_new0 (RawClient, 1);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((guint16) port) };
  struct timeval timeout = { .tv_sec = RAW_TIMEOUT_S };
  const int on = 1;
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  client->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (client->fd, >=, 0);
  setsockopt (client->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt (client->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  setsockopt (client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int result = connect (client->fd, (struct sockaddr *) &address, sizeof address);
  if (result < 0)
    g_error ("connect: %s", g_strerror (errno));
  client->unread = g_string_new (NULL);
  return client;
}

void
raw_free (RawClient *client)
{
  if (client == NULL)
    return;
  if (client->fd >= 0)
    close (client->fd);
  g_string_free (client->unread, TRUE);
  g_free (client);
}

void
raw_abort (RawClient *client)
{
  const struct linger now = { .l_onoff = 1, .l_linger = 0 };
  setsockopt (client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close (client->fd);
  client->fd = -1;
}

bool
raw_send (RawClient *client, const char *data, gssize size)
{
  gsize left = size < 0 ? strlen (data) : (gsize) size;
  while (left > 0)
    {
      ssize_t n = send (client->fd, data, left, MSG_NOSIGNAL);
      if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
        return false;
      if (n < 0)
        g_error ("send: %s", g_strerror (errno));
      data += n;
      left -= (gsize) n;
    }
  return true;
}

void
raw_send_format (RawClient *client, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_assert_true (raw_send (client, text, -1));
}

static bool
fill (RawClient *client)
{
  char chunk[64 * 1024];
  ssize_t n = recv (client->fd, chunk, sizeof chunk, 0);
  if (n < 0 && errno != ECONNRESET)
    g_error ("recv: %s", g_strerror (errno));
  if (n <= 0)
    return false;
  g_string_append_len (client->unread, chunk, n);
  return true;
}

char *
raw_read_some (RawClient *client)
{
  if (client->unread->len == 0)
    fill (client);
  char *text = g_strndup (client->unread->str, client->unread->len);
  g_string_truncate (client->unread, 0);
  return text;
}

bool
raw_at_end (RawClient *client)
{
  return client->unread->len == 0 && !fill (client);
}

static bool
take (RawClient *client, gsize size, GString *to)
{
  while (client->unread->len < size)
    if (!fill (client))
      return false;
  if (to != NULL)
    g_string_append_len (to, client->unread->str, (gssize) size);
  g_string_erase (client->unread, 0, (gssize) size);
  return true;
}

static char *
take_line (RawClient *client, const char *end)
{
  char *found;
  while ((found = memmem (client->unread->str, client->unread->len, end, strlen (end))) == NULL)
    if (!fill (client))
      return NULL;
  gsize size = (gsize) (found - client->unread->str);
  char *line = g_strndup (client->unread->str, size);
  g_string_erase (client->unread, 0, (gssize) (size + strlen (end)));
  return line;
}

static bool
read_chunks (RawClient *client, GString *body)
{
  for (;;)
    {
      g_autofree char *line = take_line (client, "\r\n");
      if (line == NULL)
        return false;
      gsize size = strtoul (line, NULL, 16);
      if (!take (client, size, body) || !take (client, 2, NULL))
        return false;
      if (size == 0)
        return true;
    }
}

char *
raw_header (const RawReply *reply, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (reply->head != NULL ? reply->head : "", "\r\n", -1);
  gsize size = strlen (name);
  for (char **line = lines; *line != NULL; line++)
    if (g_ascii_strncasecmp (*line, name, size) == 0 && (*line)[size] == ':')
      return g_strdup (g_strchug (*line + size + 1));
  return NULL;
}

RawReply *
raw_read (RawClient *client, bool no_body)
{
  g_autoptr (RawReply) reply = g_new0 (RawReply, 1);
  reply->body = g_string_new (NULL);
  reply->head = take_line (client, "\r\n\r\n");
  if (reply->head == NULL)
    return g_steal_pointer (&reply);
  g_assert_true (g_str_has_prefix (reply->head, "HTTP/1."));
  reply->status = (int) strtol (reply->head + strlen ("HTTP/1.1 "), NULL, 10);
  if (no_body || reply->status < 200 || reply->status == 204 || reply->status == 304)
    {
      reply->complete = true;
      return g_steal_pointer (&reply);
    }
  g_autofree char *length = raw_header (reply, "Content-Length");
  g_autofree char *encoding = raw_header (reply, "Transfer-Encoding");
  if (encoding != NULL)
    reply->complete = read_chunks (client, reply->body);
  else if (length != NULL)
    {
      gsize size = strtoul (length, NULL, 10);
      reply->complete = take (client, size, reply->body);
      if (!reply->complete)
        take (client, client->unread->len, reply->body);
    }
  else
    {
      while (fill (client))
        ;
      reply->complete = take (client, client->unread->len, reply->body);
    }
  return g_steal_pointer (&reply);
}

void
raw_reply_free (RawReply *reply)
{
  if (reply == NULL)
    return;
  g_free (reply->head);
  g_string_free (reply->body, TRUE);
  g_free (reply);
}

RawReply *
raw_request (guint port, const char *method, const char *path, const char *extra, const char *body)
{
  g_autoptr (RawClient) client = raw_connect (port);
  raw_send_format (client, "%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s", method, path,
                   extra != NULL ? extra : "");
  if (body != NULL)
    raw_send_format (client, "Content-Length: %" G_GSIZE_FORMAT "\r\n", strlen (body));
  raw_send (client, "\r\n", -1);
  if (body != NULL)
    raw_send (client, body, -1);
  return raw_read (client, strcmp (method, "HEAD") == 0);
}
