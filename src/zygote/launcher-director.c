/* Messages to the director, each a packet: "say LINE"; "fork" with a pidfd, which is answered by
 * "go" or "no WHY". */
#include "zygote/launcher-director.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANSWER_MS 5000
#define MAX_LINE 512

/* Landlock, whose header may be older than the kernel. */
#define LANDLOCK_CREATE 444
#define LANDLOCK_RESTRICT_SELF 446
#define LANDLOCK_VERSION 1U
#define FIRST_WITH_SCOPES 6
#define SCOPE_SIGNALS UINT64_C (2)

static int director = -1;

void
launcher_director_take (const char *number)
{
  if (number == NULL)
    return;
  director = (int) strtol (number, NULL, 10);
  fcntl (director, F_SETFD, FD_CLOEXEC);
}

bool
launcher_director_hears (const char *what, const char *reason)
{
  char line[MAX_LINE];
  if (director < 0)
    return false;
  const int n
      = snprintf (line, sizeof line, "say %s%s%s", what, *reason != '\0' ? " " : "", reason);
  /* Nothing depends on it. */
  (void) !send (director, line, (size_t) n, MSG_NOSIGNAL);
  return true;
}

/* ---- A fork */

static bool
send_fork (int pidfd)
{
  union
  {
    char space[CMSG_SPACE (sizeof (int))];
    struct cmsghdr align;
  } control;
  char text[] = "fork";
  struct iovec io = { text, sizeof text - 1 };
  struct msghdr message = { .msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = control.space,
                            .msg_controllen = sizeof control.space };
  memset (&control, 0, sizeof control);
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (sizeof (int));
  memcpy (CMSG_DATA (header), &pidfd, sizeof (int));
  return sendmsg (director, &message, MSG_NOSIGNAL) >= 0;
}

static bool
is_answered (void)
{
  struct pollfd answer = { .fd = director, .events = POLLIN };
  int n;
  do
    n = poll (&answer, 1, ANSWER_MS);
  while (n < 0 && errno == EINTR);
  return n > 0;
}

bool
launcher_director_lets_go (int pidfd, char *reason, size_t size)
{
  char text[MAX_LINE];
  ssize_t n = 0;
  if (director < 0)
    return true;
  snprintf (reason, size, "the director does not answer");
  if (!send_fork (pidfd) || !is_answered ())
    return false;
  n = recv (director, text, sizeof text - 1, 0);
  text[n > 0 ? n : 0] = '\0';
  if (strcmp (text, "go") == 0)
    return true;
  if (strncmp (text, "no ", 3) == 0)
    snprintf (reason, size, "%s", text + 3);
  return false;
}

/* ---- The plain start */

/* The rest is locked already; until now signals had to be passed on. */
bool
launcher_lock_signals (void)
{
  const uint64_t set[3] = { 0, 0, SCOPE_SIGNALS };
  if (director < 0 || syscall (LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION) < FIRST_WITH_SCOPES)
    return true;
  const int ruleset = (int) syscall (LANDLOCK_CREATE, set, sizeof set, 0);
  if (ruleset < 0 || prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
      || syscall (LANDLOCK_RESTRICT_SELF, ruleset, 0) < 0)
    return false;
  close (ruleset);
  return true;
}
