/* The kernel adds the credentials of the sender to each packet. */
#include "sandbox/packet.h"
#include "base/error.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

bool
vend_packet_pair (int *out_own, int *out_theirs, GError **error)
{
  int ends[2];
  const int on = 1;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make a socket");
  setsockopt (ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  *out_own = ends[0];
  *out_theirs = ends[1];
  return true;
}

bool
vend_packet_receive (int fd, VendPacket *out)
{
  union
  {
    char space[CMSG_SPACE (sizeof (int)) + CMSG_SPACE (sizeof (struct ucred))];
    struct cmsghdr align;
  } space;
  struct iovec io = { out->text, sizeof out->text - 1 };
  struct msghdr message = { .msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = space.space,
                            .msg_controllen = sizeof space.space };
  errno = 0;
  const ssize_t n = recvmsg (fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  out->fd = -1;
  out->sender = 0;
  out->text[MAX (n, 0)] = '\0';
  if (n <= 0)
    return false;
  for (struct cmsghdr *header = CMSG_FIRSTHDR (&message); header != NULL;
       header = CMSG_NXTHDR (&message, header))
    {
      struct ucred sender;
      if (header->cmsg_type == SCM_RIGHTS)
        memcpy (&out->fd, CMSG_DATA (header), sizeof out->fd);
      else if (header->cmsg_type == SCM_CREDENTIALS)
        {
          memcpy (&sender, CMSG_DATA (header), sizeof sender);
          out->sender = sender.pid;
        }
    }
  return true;
}
