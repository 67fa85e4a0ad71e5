/* A child enters the namespace, makes the socket there, and sends it. */
#include "sandbox/inside.h"
#include "base/error.h"
#include "base/fd.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define BACKLOG 128

struct VendInside
{
  int network;
  int user; /* the namespace that owns it */
};

bool
vend_inside_new (pid_t process, VendInside **out, GError **error)
{
  g_autoptr (VendInside) inside = g_new0 (VendInside, 1);
  g_autofree char *path = g_strdup_printf ("/proc/%d/ns/net", (int) process);
  inside->user = -1;
  inside->network = open (path, O_RDONLY | O_CLOEXEC);
  if (inside->network >= 0)
    inside->user = ioctl (inside->network, NS_GET_USERNS);
  if (inside->user < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "find the network of the sandbox");
  fcntl (inside->user, F_SETFD, FD_CLOEXEC);
  *out = g_steal_pointer (&inside);
  return true;
}

void
vend_inside_free (VendInside *inside)
{
  if (inside == NULL)
    return;
  vend_fd_clear (&inside->network);
  vend_fd_clear (&inside->user);
  g_free (inside);
}

/* ---- In the child: system calls only */

static int
make_socket (guint port)
{
  const int on = 1;
  const int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((uint16_t) port) };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (fd < 0 || port == 0)
    return fd;
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return bind (fd, (const struct sockaddr *) &address, sizeof address) == 0
                 && listen (fd, BACKLOG) == 0
             ? fd
             : -1;
}

/* Root needs not become anybody; a user has rights over the network as root of its owner. */
static bool
enter (const VendInside *inside)
{
  return (geteuid () == 0 || setns (inside->user, CLONE_NEWUSER) == 0)
         && setns (inside->network, CLONE_NEWNET) == 0;
}

/* The error, and with 0 the socket. */
static void
send_socket (int link, int number, int fd)
{
  union
  {
    char space[CMSG_SPACE (sizeof (int))];
    struct cmsghdr align;
  } control;
  struct iovec io = { &number, sizeof number };
  struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1 };
  memset (&control, 0, sizeof control);
  if (fd >= 0)
    {
      message.msg_control = control.space;
      message.msg_controllen = sizeof control.space;
      struct cmsghdr *header = CMSG_FIRSTHDR (&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN (sizeof fd);
      memcpy (CMSG_DATA (header), &fd, sizeof fd);
    }
  (void) !sendmsg (link, &message, MSG_NOSIGNAL);
}

static pid_t
fork_maker (const VendInside *inside, guint port, int link)
{
  const pid_t pid = fork ();
  if (pid != 0)
    return pid;
  const int fd = enter (inside) ? make_socket (port) : -1;
  send_socket (link, fd >= 0 ? 0 : errno, fd);
  _exit (0);
}

/* ---- In the parent */

static int
receive (int link, int *out_fd)
{
  int number = EPIPE;
  union
  {
    char space[CMSG_SPACE (sizeof (int))];
    struct cmsghdr align;
  } control;
  struct iovec io = { &number, sizeof number };
  struct msghdr message = { .msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = control.space,
                            .msg_controllen = sizeof control.space };
  if (recvmsg (link, &message, MSG_CMSG_CLOEXEC) != (ssize_t) sizeof number || number != 0)
    return number != 0 ? number : EPIPE;
  const struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  if (header == NULL || header->cmsg_type != SCM_RIGHTS)
    return EPIPE;
  memcpy (out_fd, CMSG_DATA (header), sizeof *out_fd);
  return 0;
}

bool
vend_inside_socket (const VendInside *inside, guint port, int *out_fd, GError **error)
{
  int ends[2];
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make a socket");
  vend_autofd own = ends[0];
  vend_autofd theirs = ends[1];
  const pid_t pid = fork_maker (inside, port, theirs);
  vend_fd_clear (&theirs);
  const int number = pid > 0 ? receive (own, out_fd) : errno;
  while (pid > 0 && waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
  return number == 0
         || vend_fail_errno (error, VEND_ERROR_RUNNER, number, "make a socket in the sandbox");
}
