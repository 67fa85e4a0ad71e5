/* What a manager of services asks of a service. */
#include "base/service.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/process-start.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define FIRST_LISTENER 3 /* SD_LISTEN_FDS_START */

static bool
is_mine (const char *pid)
{
  guint64 number = 0;
  return pid != NULL && g_ascii_string_to_unsigned (pid, 10, 1, G_MAXINT, &number, NULL)
         && (pid_t) number == getpid ();
}

static bool
check_listener (int fd, GError **error)
{
  int listens = 0;
  int type = 0;
  socklen_t size = sizeof listens;
  socklen_t type_size = sizeof type;
  struct sockaddr_storage address;
  socklen_t address_size = sizeof address;
  if (getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0
      || getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &type_size) < 0
      || getsockname (fd, (struct sockaddr *) &address, &address_size) < 0 || !listens
      || type != SOCK_STREAM || (address.ss_family != AF_INET && address.ss_family != AF_INET6))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "LISTEN_FDS: descriptor %d is no TCP socket that listens", fd);
  return true;
}

static bool
take_listener (VendService *out, GError **error)
{
  g_autofree char *pid = vend_process_take_variable ("LISTEN_PID");
  g_autofree char *count = vend_process_take_variable ("LISTEN_FDS");
  g_autofree char *names G_GNUC_UNUSED = vend_process_take_variable ("LISTEN_FDNAMES");
  guint64 n = 0;
  if (!is_mine (pid) || count == NULL)
    return true;
  if (!g_ascii_string_to_unsigned (count, 10, 0, G_MAXINT, &n, NULL) || n > 1)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "LISTEN_FDS is '%s': expected one socket, ListenStream of one unit", count);
  if (n == 0)
    return true;
  if (!check_listener (FIRST_LISTENER, error))
    return false;
  const int flags = fcntl (FIRST_LISTENER, F_GETFL);
  if (fcntl (FIRST_LISTENER, F_SETFD, FD_CLOEXEC) < 0
      || fcntl (FIRST_LISTENER, F_SETFL, flags | O_NONBLOCK) < 0)
    return vend_fail_errno (error, VEND_ERROR_INTERNAL, errno, "the socket of LISTEN_FDS");
  out->listener = FIRST_LISTENER;
  return true;
}

static void
take_watchdog (VendService *out)
{
  g_autofree char *pid = vend_process_take_variable ("WATCHDOG_PID");
  g_autofree char *interval = vend_process_take_variable ("WATCHDOG_USEC");
  gint64 us = 0;
  if ((pid == NULL || is_mine (pid)) && interval != NULL
      && g_ascii_string_to_signed (interval, 10, 1, G_MAXINT64, &us, NULL))
    out->watchdog_us = us;
}

bool
vend_service_take (VendService *out, GError **error)
{
  *out = (VendService){ .socket = vend_process_take_variable ("NOTIFY_SOCKET"), .listener = -1 };
  take_watchdog (out);
  return take_listener (out, error);
}

void
vend_service_clear (VendService *service)
{
  g_clear_pointer (&service->socket, g_free);
}

bool
vend_service_address (const VendService *service, char **out, GError **error)
{
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  if (getsockname (service->listener, (struct sockaddr *) &address, &size) < 0)
    return vend_fail_errno (error, VEND_ERROR_INTERNAL, errno, "getsockname");
  const int code = getnameinfo ((struct sockaddr *) &address, size, host, sizeof host, port,
                                sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  if (code != 0)
    return vend_fail (error, VEND_ERROR_INTERNAL, "getnameinfo: %s", gai_strerror (code));
  *out = g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, port);
  return true;
}

void
vend_service_tell (const VendService *service, const char *news)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  const gsize length = service->socket != NULL ? strlen (service->socket) : 0;
  if (length == 0 || length >= sizeof address.sun_path)
    return;
  memcpy (address.sun_path, service->socket, length);
  /* '@' stands for the abstract namespace. */
  if (address.sun_path[0] == '@')
    address.sun_path[0] = '\0';
  vend_autofd fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0)
    (void) !sendto (fd, news, strlen (news), MSG_NOSIGNAL, (struct sockaddr *) &address,
                    (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length));
}
