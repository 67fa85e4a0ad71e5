/* The first process of a sandbox. It starts the model server as its only child, passes on signals
 * that the director sends, tells how the child ended, and ends with it: the kernel then kills
 * whatever is left in the process namespace. Nothing of the model can look into it. Linked
 * statically, since it is executed where nothing but the model's own files may be trusted; libc
 * only.
 *
 * That of a room (sandbox/room.h) stays without its child: others are nested in there. As `wait` it
 * stands outside of a room for the process that was put in.
 *
 * Descriptors: VEND_PIN_CONTROL leads to the director, VEND_PIN_ORDERS has what to start
 * (sandbox/pin.h). */
#include "sandbox/pin.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORDS 8192
#define CANNOT_START 127
#define PROGRAM_PATH 4096
#define LAST_PASSED 1030

/* Landlock, whose header may be older than the kernel. */
#define LANDLOCK_CREATE 444
#define LANDLOCK_ADD_RULE 445
#define LANDLOCK_RESTRICT_SELF 446
#define LANDLOCK_VERSION 1U
#define LANDLOCK_PATH_BENEATH 1
#define FS_EXECUTE (UINT64_C (1) << 0)
#define FS_WRITE_FILE (UINT64_C (1) << 1)
#define FS_READ_FILE (UINT64_C (1) << 2)
#define FS_READ_DIR (UINT64_C (1) << 3)
#define FS_MAKE_CHAR (UINT64_C (1) << 6)
#define FS_MAKE_BLOCK (UINT64_C (1) << 11)
#define FS_REFER (UINT64_C (1) << 13)
#define FS_TRUNCATE (UINT64_C (1) << 14)
#define FS_IOCTL_DEV (UINT64_C (1) << 15)
#define FS_FIRST_13 ((UINT64_C (1) << 13) - 1)
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define FS_READ (FS_EXECUTE | FS_READ_FILE | FS_READ_DIR)
#define SCOPE_SOCKETS UINT64_C (1) /* abstract ones */
#define SCOPE_SIGNALS UINT64_C (2)

extern char **environ;

typedef struct
{
  uint64_t fs;
  uint64_t net;
  uint64_t scoped;
} Ruleset;

typedef struct
{
  uint64_t allowed;
  int32_t parent;
} __attribute__ ((packed)) PathRule;

typedef struct
{
  char *argv[MAX_WORDS];
  char *env[MAX_WORDS];
  char *limits[64];
  char *rules[512];
  size_t n_args;
  size_t n_env;
  size_t n_limits;
  size_t n_rules;
  const char *cwd;
  bool needs_landlock;
  bool stays; /* as it was started: no child of it, and no first process */
  bool is_launcher;
  bool is_room;
} Orders;

static Orders orders;

static void __attribute__ ((noreturn))
give_up (const char *what)
{
  /* Standard error is the model server's, so the director shows it. */
  fprintf (stderr, "sandbox: %s: %s\n", what, strerror (errno));
  _exit (CANNOT_START);
}

/* ---- Orders. */

static void
take_word (char *word)
{
  struct
  {
    char tag;
    char **list;
    size_t *n;
    size_t max;
  } lists[] = { { VEND_PIN_ARGUMENT, orders.argv, &orders.n_args, MAX_WORDS - 1 },
                { VEND_PIN_VARIABLE, orders.env, &orders.n_env, MAX_WORDS - 1 },
                { VEND_PIN_LIMIT, orders.limits, &orders.n_limits, 64 },
                { VEND_PIN_READ, orders.rules, &orders.n_rules, 512 },
                { VEND_PIN_WRITE, orders.rules, &orders.n_rules, 512 } };
  const size_t n = sizeof lists / sizeof *lists;
  if (word[0] == VEND_PIN_FOLDER)
    orders.cwd = word + 1;
  else if (word[0] == VEND_PIN_LANDLOCK)
    orders.needs_landlock = true;
  else if (word[0] == VEND_PIN_STAY)
    orders.stays = true;
  else if (word[0] == VEND_PIN_LAUNCHER)
    orders.is_launcher = true;
  else if (word[0] == VEND_PIN_ROOM)
    orders.is_room = true;
  for (size_t i = 0; i < n; i++)
    if (word[0] == lists[i].tag)
      {
        const bool is_rule = lists[i].list == orders.rules;
        if (*lists[i].n >= lists[i].max)
          {
            errno = E2BIG;
            give_up ("orders");
          }
        lists[i].list[(*lists[i].n)++] = is_rule ? word : word + 1;
      }
}

static void
read_orders (void)
{
  struct stat st;
  if (fstat (VEND_PIN_ORDERS, &st) < 0)
    give_up ("orders");
  const size_t size = (size_t) st.st_size;
  char *text = malloc (size + 1);
  if (text == NULL || pread (VEND_PIN_ORDERS, text, size, 0) != (ssize_t) size)
    give_up ("orders");
  text[size] = '\0';
  for (char *word = text; word < text + size; word += strlen (word) + 1)
    take_word (word);
  if (orders.n_args == 0)
    {
      errno = EINVAL;
      give_up ("orders");
    }
}

/* ---- Locks on the child. */

static void
set_limit (const char *text)
{
  char *end;
  const int resource = (int) strtol (text, &end, 10);
  const rlim_t value = strtoull (end, NULL, 10);
  struct rlimit limit;
  if (getrlimit (resource, &limit) < 0)
    give_up ("limits");
  limit.rlim_max = limit.rlim_max < value ? limit.rlim_max : value;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit (resource, &limit) < 0)
    give_up ("limits");
}

static uint64_t
handled (long version)
{
  return FS_FIRST_13 | (version >= 2 ? FS_REFER : 0) | (version >= 3 ? FS_TRUNCATE : 0)
         | (version >= 5 ? FS_IOCTL_DEV : 0);
}

static bool
allow (int ruleset, const char *rule, uint64_t all)
{
  const uint64_t writing = all & ~(FS_MAKE_CHAR | FS_MAKE_BLOCK);
  const int fd = open (rule + 1, O_PATH | O_CLOEXEC);
  struct stat st;
  if (fd < 0)
    return errno == ENOENT || errno == EACCES || errno == ENOTDIR;
  PathRule path = { (rule[0] == VEND_PIN_WRITE ? writing : FS_READ) & all, fd };
  if (fstat (fd, &st) == 0 && !S_ISDIR (st.st_mode))
    path.allowed &= FS_OF_FILES;
  const bool added = syscall (LANDLOCK_ADD_RULE, ruleset, LANDLOCK_PATH_BENEATH, &path, 0) == 0;
  close (fd);
  return added;
}

static void
lock_paths (void)
{
  const long version = syscall (LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION);
  if (orders.n_rules == 0 || version < 1)
    {
      if (orders.needs_landlock)
        give_up ("Landlock");
      return;
    }
  const uint64_t scope = SCOPE_SOCKETS | (orders.is_launcher ? 0 : SCOPE_SIGNALS);
  Ruleset set = { handled (version), 0, version >= 6 ? scope : 0 };
  const size_t size = version >= 6   ? sizeof set
                      : version >= 4 ? offsetof (Ruleset, scoped)
                                     : offsetof (Ruleset, net);
  const int ruleset = (int) syscall (LANDLOCK_CREATE, &set, size, 0);
  if (ruleset < 0)
    give_up ("Landlock");
  for (size_t i = 0; i < orders.n_rules; i++)
    if (!allow (ruleset, orders.rules[i], set.fs))
      give_up (orders.rules[i] + 1);
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
      || syscall (LANDLOCK_RESTRICT_SELF, ruleset, 0) < 0)
    give_up ("Landlock");
  close (ruleset);
}

static void
drop_capabilities (void)
{
  struct
  {
    uint32_t version;
    int pid;
  } head = { 0x20080522, 0 };
  const uint32_t none[6] = { 0 };
  for (int i = 0; prctl (PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
    prctl (PR_CAPBSET_DROP, i, 0, 0, 0);
  prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (syscall (SYS_capset, &head, none) < 0)
    give_up ("capabilities");
}

/* bubblewrap has done the same where it runs. */
static void
filter_calls (void)
{
  struct stat st;
  if (fstat (VEND_PIN_FILTER, &st) < 0 || st.st_size == 0)
    give_up ("system call filter");
  const size_t size = (size_t) st.st_size;
  struct sock_filter *rules = malloc (size);
  if (rules == NULL || pread (VEND_PIN_FILTER, rules, size, 0) != (ssize_t) size)
    give_up ("system call filter");
  const struct sock_fprog program
      = { .len = (unsigned short) (size / sizeof *rules), .filter = rules };
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
      || prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
    give_up ("system call filter");
  free (rules);
}

/* ---- The child. */

static void __attribute__ ((noreturn))
run_program (void)
{
  const char *path = "/usr/bin:/bin";
  char file[PROGRAM_PATH];
  for (size_t i = 0; i < orders.n_env; i++)
    if (strncmp (orders.env[i], "PATH=", 5) == 0)
      path = orders.env[i] + 5;
  if (strchr (orders.argv[0], '/') != NULL)
    execve (orders.argv[0], orders.argv, orders.env);
  for (const char *at = path; strchr (orders.argv[0], '/') == NULL && *at != '\0';)
    {
      const size_t length = strcspn (at, ":");
      if (length + strlen (orders.argv[0]) + 2 < sizeof file)
        {
          memcpy (file, at, length);
          file[length] = '/';
          memcpy (file + length + 1, orders.argv[0], strlen (orders.argv[0]) + 1);
          execve (file, orders.argv, orders.env);
          if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
            break;
        }
      at += length + (at[length] == ':');
    }
  give_up (orders.argv[0]);
}

static void
close_from (unsigned first)
{
  if (syscall (SYS_close_range, first, ~0U, 0) == 0)
    return;
  for (int i = (int) first; i < 1024; i++)
    close (i);
}

/* The director may have to make sockets in here first, or to move this process. */
static void
await_go (void)
{
  char text[16];
  if (recv (VEND_PIN_CONTROL, text, sizeof text, 0) != 2 || memcmp (text, "go", 2) != 0)
    _exit (0);
}

static void __attribute__ ((noreturn))
become_model (const sigset_t *mask)
{
  setpgid (0, 0);
  /* With its own credentials, by which the director knows it. */
  if (!orders.stays && send (VEND_PIN_CONTROL, "model", 5, MSG_NOSIGNAL) < 0)
    _exit (CANNOT_START);
  if (orders.is_room)
    await_go ();
  for (size_t i = 0; i < orders.n_limits; i++)
    set_limit (orders.limits[i]);
  if (orders.cwd != NULL && chdir (orders.cwd) < 0)
    give_up (orders.cwd);
  lock_paths ();
  if (orders.stays)
    {
      drop_capabilities ();
      filter_calls ();
    }
  close_from (VEND_PIN_FIRST);
  sigprocmask (SIG_SETMASK, mask, NULL);
  run_program ();
}

/* ---- The first process. */

static void
tell_end (int status, const struct rusage *usage)
{
  char text[64];
  const int length = snprintf (text, sizeof text, "end %d %ld", status, (long) usage->ru_maxrss);
  (void) !send (VEND_PIN_CONTROL, text, (size_t) length, MSG_NOSIGNAL);
}

/* Adopts what the model leaves behind, until the model itself ends. */
static void
reap (pid_t model)
{
  struct rusage usage;
  int status;
  pid_t pid;
  while ((pid = wait4 (-1, &status, WNOHANG, &usage)) > 0)
    if (pid == model)
      {
        tell_end (status, &usage);
        if (!orders.is_room)
          _exit (0);
      }
}

static void
relay (pid_t model)
{
  char text[16];
  const ssize_t n = recv (VEND_PIN_CONTROL, text, sizeof text - 1, MSG_DONTWAIT);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
    _exit (0); /* nobody is left to serve */
  if (n <= 0)
    return;
  text[n] = '\0';
  const int number = (int) strtol (text, NULL, 10);
  if (number > 0 && kill (-model, number) < 0)
    kill (model, number);
}

static void __attribute__ ((noreturn))
keep (pid_t model, int signals)
{
  struct pollfd fds[] = { { .fd = signals, .events = POLLIN },
                          { .fd = orders.is_room ? -1 : VEND_PIN_CONTROL, .events = POLLIN },
                          { .fd = orders.is_room ? VEND_PIN_LIFE : -1 } };
  for (;;)
    {
      struct signalfd_siginfo info;
      if (poll (fds, 3, -1) < 0)
        continue;
      if (fds[0].revents != 0 && read (signals, &info, sizeof info) == sizeof info)
        reap (model);
      if (fds[1].revents != 0)
        relay (model);
      if (fds[2].revents != 0)
        _exit (0); /* nobody is left in here */
    }
}

/* A zygote looks for its own number in what its imports keep (zygote/traces.py): it must be one
 * that is found nowhere by accident, as 2 would be. Some 30 us each. */
static void
pass_numbers (void)
{
  pid_t pid;
  do
    {
      pid = fork ();
      if (pid == 0)
        _exit (0);
      while (pid > 0 && waitpid (pid, NULL, 0) < 0 && errno == EINTR)
        ;
    }
  while (pid > 0 && pid < LAST_PASSED);
}

/* Its only child is in the process namespace of a room. */
static void __attribute__ ((noreturn))
stand_outside (void)
{
  int status = 0;
  close_from (0);
  while (wait (&status) < 0 && errno == EINTR)
    ;
  _exit (WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status));
}

int
main (int argc, char **argv)
{
  sigset_t all;
  sigset_t before;
  prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (argc > 1 && strcmp (argv[1], VEND_PIN_WAIT) == 0)
    stand_outside ();
  read_orders ();
  sigemptyset (&before);
  if (orders.stays)
    become_model (&before);

  sigfillset (&all);
  sigprocmask (SIG_SETMASK, &all, NULL);
  if (send (VEND_PIN_CONTROL, "pin", 3, MSG_NOSIGNAL) < 0)
    give_up ("director");
  await_go ();
  if (orders.is_room)
    pass_numbers ();
  const pid_t model = fork ();
  if (model < 0)
    give_up ("fork");
  if (model == 0)
    become_model (&before);
  setpgid (model, model);
  const int signals = signalfd (-1, &all, SFD_CLOEXEC);
  if (signals < 0)
    give_up ("signals");
  /* The model's own ends are the only ones: who reads them sees its end. */
  for (int i = 0; i < VEND_PIN_FIRST + 16; i++)
    if (i != VEND_PIN_CONTROL && i != signals
        && !(orders.is_room && (i == VEND_PIN_LIFE || i == VEND_PIN_AROUND)))
      close (i);
  keep (model, signals);
}
