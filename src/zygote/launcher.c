/* The `python` that a model server finds first on its PATH. It asks a zygote for a process that has
 * the imports loaded already, hands it what this process was started with and stays in its place:
 * signals go there, the exit status comes back. Whenever that does not work out the Python it
 * stands for is executed, with the same result. Uses libc only, since it starts with each Python.
 *
 * Environment:
 *   VEND_LAUNCH_PYTHON   the Python it stands for
 *   VEND_LAUNCH_DIR      the folder on PATH that this program lies in
 *   VEND_LAUNCH_ZYGOTE   socket of a zygote, if there is one
 *   VEND_LAUNCH_SNAPSHOT socket of one that has run setup(), for workers, if there is one
 *   VEND_LAUNCH_REPORT   file that gets a line with what became of it
 *   VEND_LAUNCH_RECORD   file that gets the names of imported modules, if they are wanted
 *   VEND_LAUNCH_CHECK    in a sandbox, in place of the report: a descriptor that leads to the
 * director, which looks at a fork before that runs anything
 */
#include "zygote/launcher-director.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PREFIX "VEND_LAUNCH_"
#define ANSWER_MS 2000 /* a fork of a large process on a busy machine is well within that */
#define STATUS_MS 2000
#define MAX_FDS 250 /* the kernel passes 253 in one message; one is ours */
#define MAX_REASON 300
#define UNKNOWN_STATUS 1

extern char **environ;

/* The message to the zygote; the descriptors that come with it are the lifeline and then those that
 * these numbers belong to. Native byte order: both ends are on one machine. */
typedef struct
{
  char magic[8];
  int32_t n_fds;
  int32_t fds[MAX_FDS];
} Request;

static const char MAGIC[8] = "vendzyg1";

typedef struct
{
  int conn;     /* to the zygote and, until it runs, to the child */
  int lifeline; /* held as long as this process lives: the child dies with it */
  int pidfd;
  pid_t group; /* of the child when it leads one, else 0 */
  char reason[MAX_REASON];
} Start;

static bool
fail (Start *start, const char *what)
{
  snprintf (start->reason, sizeof start->reason, "%s: %s", what, strerror (errno));
  return false;
}

static bool
refuse (Start *start, const char *why)
{
  snprintf (start->reason, sizeof start->reason, "%s", why);
  return false;
}

static void
report (const char *what, const char *reason)
{
  const char *path = getenv (PREFIX "REPORT");
  char line[MAX_REASON + 16];
  if (launcher_director_hears (what, reason) || path == NULL)
    return;
  const int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int length
      = snprintf (line, sizeof line, "%s%s%s\n", what, *reason != '\0' ? " " : "", reason);
  /* Nothing depends on it. */
  if (fd >= 0 && length > 0 && write (fd, line, (size_t) length) < 0)
    line[0] = '\0';
  if (fd >= 0)
    close (fd);
}

/* ---- The plain start */

/* The model server itself starts the process that runs the model; that one's own children are
 * nobody's business. */
static bool
is_model_server (char **argv)
{
  return strcmp (argv[1], "-m") == 0 && strcmp (argv[2], "cog.server.http") == 0;
}

static bool
is_worker (char **argv)
{
  return strcmp (argv[1], "-c") == 0 && strstr (argv[2], "coglet.server._run_worker") != NULL;
}

static void
leave_path (void)
{
  const char *dir = getenv (PREFIX "DIR");
  char *path = getenv ("PATH");
  const size_t length = dir != NULL ? strlen (dir) : 0;
  if (length > 0 && path != NULL && strncmp (path, dir, length) == 0 && path[length] == ':')
    {
      char *rest = strdup (path + length + 1);
      if (rest != NULL)
        setenv ("PATH", rest, 1);
      free (rest);
    }
}

static void
leave_environment (void)
{
  leave_path ();
  for (size_t i = 0; environ[i] != NULL;)
    {
      char name[128];
      const char *equals = strchr (environ[i], '=');
      const size_t length = equals != NULL ? (size_t) (equals - environ[i]) : 0;
      if (strncmp (environ[i], PREFIX, strlen (PREFIX)) != 0 || length >= sizeof name)
        {
          i++;
          continue;
        }
      memcpy (name, environ[i], length);
      name[length] = '\0';
      unsetenv (name);
    }
}

static int
start_plainly (int argc, char **argv, bool runnable)
{
  const char *named = getenv (PREFIX "PYTHON");
  const char *dir = getenv (PREFIX "DIR");
  const char *record = getenv (PREFIX "RECORD");
  char *python = named != NULL ? strdup (named) : NULL;
  char script[4096];
  char **args = calloc ((size_t) argc + 4, sizeof *args);
  int n = 0;
  if (python == NULL || args == NULL)
    {
      fprintf (stderr, "python: " PREFIX "PYTHON is not set\n");
      return 127;
    }
  const bool recording
      = runnable && record != NULL && dir != NULL
        && (size_t) snprintf (script, sizeof script, "%s/../run.py", dir) < sizeof script;
  args[n++] = recording ? python : argv[0];
  if (recording)
    {
      args[n++] = script;
      args[n++] = strdup (record);
      memcpy (args + n, argv, (size_t) argc * sizeof *args);
    }
  else if (argc > 1)
    memcpy (args + n, argv + 1, ((size_t) argc - 1) * sizeof *args);
  if (!launcher_lock_signals ())
    {
      fprintf (stderr, "sandbox: Landlock: %s\n", strerror (errno));
      return 127;
    }
  /* A server whose zygote was in the way does not try again with its worker. */
  if (!recording || !is_model_server (argv))
    leave_environment ();
  /* By its path: Python finds its environment by how it was called. */
  if (!recording)
    args[0] = python;
  execv (python, args);
  fprintf (stderr, "python: cannot run '%s': %s\n", python, strerror (errno));
  return 127;
}

/* ---- The way to the zygote */

/* A directory descriptor makes any path short enough for a socket. */
static bool
dial (Start *start, const char *path)
{
  const char *slash = strrchr (path, '/');
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  char dir[4096];
  if (slash == NULL || (size_t) (slash - path) >= sizeof dir)
    return refuse (start, "the zygote's address is not a path");
  memcpy (dir, path, (size_t) (slash - path));
  dir[slash - path] = '\0';
  const int dir_fd = open (dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (dir_fd < 0)
    return fail (start, "no zygote");
  const int length = snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s",
                               dir_fd, slash + 1);
  start->conn = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool connected
      = start->conn >= 0 && length > 0 && (size_t) length < sizeof address.sun_path
        && connect (start->conn, (struct sockaddr *) &address, sizeof address) == 0;
  if (!connected)
    fail (start, "no zygote");
  close (dir_fd);
  return connected;
}

static bool
check_peer (Start *start)
{
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt (start->conn, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
    return fail (start, "cannot tell who the zygote is");
  return peer.uid == geteuid () || refuse (start, "the zygote belongs to another user");
}

/* What Python would inherit: everything that is open and none of ours. */
static bool
list_fds (Start *start, Request *request)
{
  DIR *listing = opendir ("/proc/self/fd");
  const struct dirent *entry;
  bool fits = true;
  if (listing == NULL)
    return fail (start, "cannot list the descriptors");
  while (fits && (entry = readdir (listing)) != NULL)
    {
      char *end;
      const long fd = strtol (entry->d_name, &end, 10);
      if (*end != '\0' || end == entry->d_name)
        continue;
      const int flags = fcntl ((int) fd, F_GETFD);
      if (fd == dirfd (listing) || flags < 0 || (flags & FD_CLOEXEC) != 0)
        continue;
      fits = request->n_fds < MAX_FDS;
      if (fits)
        request->fds[request->n_fds++] = (int32_t) fd;
    }
  closedir (listing);
  return fits || refuse (start, "too many descriptors are open");
}

static bool
send_request (Start *start, Request *request)
{
  int ends[2];
  if (pipe2 (ends, O_CLOEXEC) < 0)
    return fail (start, "cannot make a pipe");
  start->lifeline = ends[1];

  union
  {
    char space[CMSG_SPACE (sizeof (int) * (MAX_FDS + 1))];
    struct cmsghdr align;
  } control;
  memset (&control, 0, sizeof control);
  const size_t size = sizeof (int) * (size_t) (request->n_fds + 1);
  struct iovec io
      = { request, offsetof (Request, fds) + sizeof (int32_t) * (size_t) request->n_fds };
  struct msghdr message = { .msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = control.space,
                            .msg_controllen = CMSG_SPACE (size) };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (size);
  memcpy (CMSG_DATA (header), &ends[0], sizeof (int));
  memcpy (CMSG_DATA (header) + sizeof (int), request->fds, size - sizeof (int));
  const bool sent = sendmsg (start->conn, &message, MSG_NOSIGNAL) >= 0;
  if (!sent)
    fail (start, "cannot ask the zygote");
  close (ends[0]);
  return sent;
}

static bool
await (int fd, int timeout_ms)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
  int n;
  do
    n = poll (&poll_fd, 1, timeout_ms);
  while (n < 0 && errno == EINTR);
  return n > 0;
}

/* From the child: descriptors that wait in the queue of a zygote that stands still would be open as
 * long as it does. */
static bool
hear_hello (Start *start)
{
  char text[MAX_REASON];
  if (!await (start->conn, ANSWER_MS))
    return refuse (start, "the zygote does not answer");
  const ssize_t n = recv (start->conn, text, sizeof text - 1, 0);
  if (n <= 0)
    return refuse (start, "the zygote ended");
  text[n] = '\0';
  if (strncmp (text, "no ", 3) == 0)
    return refuse (start, text + 3);
  return strcmp (text, "hello") == 0 || refuse (start, "the zygote's answer makes no sense");
}

/* One message of its answer. `*out_fd` is a descriptor that came with it, or -1. */
static bool
read_message (Start *start, char *text, size_t size, int *out_fd)
{
  union
  {
    char space[CMSG_SPACE (sizeof (int))];
    struct cmsghdr align;
  } control;
  struct iovec io = { text, size - 1 };
  struct msghdr message = { .msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = control.space,
                            .msg_controllen = sizeof control.space };
  *out_fd = -1;
  if (!await (start->conn, ANSWER_MS))
    return refuse (start, "the zygote does not answer");
  const ssize_t n = recvmsg (start->conn, &message, MSG_CMSG_CLOEXEC);
  if (n <= 0)
    return refuse (start, "the zygote ended");
  text[n] = '\0';
  if (strncmp (text, "no ", 3) == 0)
    return refuse (start, text + 3);
  const struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  if (header != NULL && header->cmsg_type == SCM_RIGHTS)
    memcpy (out_fd, CMSG_DATA (header), sizeof (int));
  return true;
}

/* "self", with a descriptor of the child, then "ready" and its number when it leads a group; or
 * "no" and why. */
static bool
read_answer (Start *start)
{
  char text[MAX_REASON];
  int fd;
  if (!read_message (start, text, sizeof text, &start->pidfd))
    return false;
  if (start->pidfd < 0 || strcmp (text, "self") != 0)
    return refuse (start, "the zygote's answer makes no sense");
  if (!read_message (start, text, sizeof text, &fd))
    return false;
  if (strncmp (text, "ready ", 6) != 0 || fd >= 0)
    return refuse (start, "the zygote's answer makes no sense");
  start->group = (pid_t) strtol (text + 6, NULL, 10);
  return true;
}

/* ---- In place of the child */

static void
relay (const Start *start, int number)
{
  /* While its descriptor shows it alive, the number of its group is its own. */
  if (start->group > 1 && !await (start->pidfd, 0))
    kill (-start->group, number);
  else
    syscall (SYS_pidfd_send_signal, start->pidfd, number, NULL, 0);
}

static void __attribute__ ((noreturn))
end_as (int status)
{
  if (WIFSIGNALED (status))
    {
      const struct rlimit none = { 0, 0 };
      sigset_t all;
      setrlimit (RLIMIT_CORE, &none);
      signal (WTERMSIG (status), SIG_DFL);
      sigfillset (&all);
      sigprocmask (SIG_UNBLOCK, &all, NULL);
      kill (getpid (), WTERMSIG (status));
    }
  _exit (WIFEXITED (status) ? WEXITSTATUS (status) : UNKNOWN_STATUS);
}

static bool
read_status (const Start *start, int timeout_ms, int *out_status)
{
  int32_t status;
  if (!await (start->conn, timeout_ms)
      || recv (start->conn, &status, sizeof status, 0) != sizeof status)
    return false;
  *out_status = status;
  return true;
}

/* The zygote tells the status; when it is gone, the end alone can be seen. */
static void __attribute__ ((noreturn))
stand_in (const Start *start, int signals)
{
  struct pollfd fds[] = { { .fd = signals, .events = POLLIN },
                          { .fd = start->pidfd, .events = POLLIN },
                          { .fd = start->conn, .events = POLLIN } };
  for (;;)
    {
      int status = 0;
      struct signalfd_siginfo info;
      if (poll (fds, 3, -1) < 0)
        continue;
      if (fds[2].revents != 0)
        {
          if (read_status (start, 0, &status))
            end_as (status);
          fds[2].fd = -1;
        }
      if (fds[1].revents != 0)
        {
          if (fds[2].fd >= 0 && read_status (start, STATUS_MS, &status))
            end_as (status);
          _exit (UNKNOWN_STATUS);
        }
      if (fds[0].revents != 0 && read (signals, &info, sizeof info) == sizeof info)
        relay (start, (int) info.ssi_signo);
    }
}

/* The child, if there is one, has not run anything and ends when these close. */
static void
give_up (Start *start)
{
  if (start->conn >= 0)
    close (start->conn);
  if (start->lifeline >= 0)
    close (start->lifeline);
  if (start->pidfd >= 0)
    close (start->pidfd);
}

/* Only returns when nothing has been run. */
static void
try_zygote (Start *start, const char *socket, const char *kind)
{
  Request request = { .n_fds = 0 };
  sigset_t all;
  sigset_t before;
  memcpy (request.magic, MAGIC, sizeof MAGIC);
  if (!list_fds (start, &request) || !dial (start, socket) || !check_peer (start)
      || !hear_hello (start) || !send_request (start, &request) || !read_answer (start)
      || !launcher_director_lets_go (start->pidfd, start->reason, sizeof start->reason))
    return;

  sigfillset (&all);
  sigprocmask (SIG_SETMASK, &all, &before);
  const int signals = signalfd (-1, &all, SFD_CLOEXEC);
  if (signals < 0)
    {
      fail (start, "cannot pass signals on");
      sigprocmask (SIG_SETMASK, &before, NULL);
      return;
    }
  report (kind, "");
  if (send (start->conn, "go", 2, MSG_NOSIGNAL) < 0)
    {
      refuse (start, "the zygote ended");
      sigprocmask (SIG_SETMASK, &before, NULL);
      return;
    }
  /* What was handed over is the child's alone: others wait for its end. */
  for (int32_t i = 0; i < request.n_fds; i++)
    close (request.fds[i]);
  stand_in (start, signals);
}

/* Only returns when nothing has been run. */
static void
start_fast (Start *start, const char *name, const char *kind)
{
  const char *path = getenv (name);
  *start = (Start){ .conn = -1, .lifeline = -1, .pidfd = -1 };
  if (path != NULL)
    try_zygote (start, path, kind);
  give_up (start);
}

int
main (int argc, char **argv)
{
  Start start;
  launcher_director_take (getenv (PREFIX "CHECK"));
  const bool runnable = argc >= 3 && (strcmp (argv[1], "-c") == 0 || strcmp (argv[1], "-m") == 0);
  if (getenv (PREFIX "SNAPSHOT") != NULL && runnable && is_worker (argv))
    {
      start_fast (&start, PREFIX "SNAPSHOT", "snapshot");
      report ("missed", start.reason);
    }
  if (getenv (PREFIX "ZYGOTE") != NULL)
    {
      if (runnable)
        start_fast (&start, PREFIX "ZYGOTE", "fast");
      else
        refuse (&start, "Python was called in another way than with -c or -m");
      report ("plain", start.reason);
    }
  return start_plainly (argc, argv, runnable);
}
