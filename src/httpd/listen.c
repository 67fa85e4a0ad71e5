/* Addresses to listen at. */
#include "httpd/listen.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#define LISTEN_BACKLOG 1024

bool
vend_listen_split (const char *text, const char *setting, char **out_host, char **out_port,
                   GError **error)
{
  const char *colon = strrchr (text, ':');
  guint64 port = 0;
  g_autofree char *host = colon != NULL ? g_strndup (text, (gsize) (colon - text)) : NULL;
  gsize size = host != NULL ? strlen (host) : 0;
  const bool bracketed = size > 2 && host[0] == '[' && host[size - 1] == ']';
  if (size == 0 || (!bracketed && strchr (host, ':') != NULL)
      || !g_ascii_string_to_unsigned (colon + 1, 10, 0, 65535, &port, NULL))
    return vend_fail (error, VEND_ERROR_INVALID, "%s '%s': expected address:port", setting, text);
  *out_host = bracketed ? g_strndup (host + 1, size - 2) : g_steal_pointer (&host);
  *out_port = g_strdup (colon + 1);
  return true;
}

bool
vend_listen_find (const char *text, const char *setting, VendListenAddress *out, GError **error)
{
  g_autofree char *host = NULL;
  g_autofree char *port = NULL;
  const struct addrinfo hints
      = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
  struct addrinfo *found = NULL;
  if (!vend_listen_split (text, setting, &host, &port, error))
    return false;
  const int result = getaddrinfo (host, port, &hints, &found);
  if (result != 0)
    return vend_fail (error, VEND_ERROR_INVALID, "%s '%s': %s", setting, text,
                      gai_strerror (result));
  memcpy (&out->address, found->ai_addr, found->ai_addrlen);
  out->size = found->ai_addrlen;
  freeaddrinfo (found);
  return true;
}

bool
vend_listen_open (const char *text, const char *setting, int *out_fd, GError **error)
{
  const int on = 1;
  const int off = 0;
  VendListenAddress at = { 0 };
  if (!vend_listen_find (text, setting, &at, error))
    return false;
  vend_autofd fd = socket (at.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_UNAVAILABLE, errno, "%s on '%s'", setting, text);
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at.address.ss_family == AF_INET6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind (fd, (const struct sockaddr *) &at.address, at.size) < 0
      || listen (fd, LISTEN_BACKLOG) < 0)
    return vend_fail_errno (error, VEND_ERROR_UNAVAILABLE, errno, "%s on '%s'", setting, text);
  *out_fd = vend_fd_steal (&fd);
  return true;
}

bool
vend_listen_port (int fd, guint *out_port, GError **error)
{
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  if (getsockname (fd, (struct sockaddr *) &address, &size) < 0)
    return vend_fail_errno (error, VEND_ERROR_INTERNAL, errno, "getsockname");
  *out_port = ntohs (address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *) &address)->sin6_port
                                                   : ((struct sockaddr_in *) &address)->sin_port);
  return true;
}
