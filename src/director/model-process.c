/* The model server as a process. Runs on the director's main context; one function runs between
 * fork and exec. */
#include "director/model-process.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/fd-source.h"
#include "base/log.h"
#include "runner/process-identity.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define READ_SIZE ((gsize) 32 * 1024)
#define READS_PER_TURN 8
#define KILL_ROUNDS 20
#define MAX_STATUS ((gsize) 64 * 1024)
#define END_PATIENCE_MS 200
#define SANDBOX_PATIENCE_MS 2000

struct VendModelProcess
{
  const VendModelEvents *events;
  void *context;
  const VendModelLimits *limits;
  char *dir;
  char *pid_file;
  pid_t pid;     /* 0 once reaped */
  uint64_t peak; /* of its memory, once it is */
  pid_t model;   /* the model server inside of a sandbox; 0: none, or not heard of yet */
  int pidfd;
  int control; /* to the sandbox's first process; -1: there is none */
  int first;   /* a pidfd of that; -1: not heard of */
  int end;     /* the wait status that it told */
  bool has_end;
  int stderr_fd;
  int stdin_fd; /* -1: none, or taken */
  int stdout_fd;
  GSource *exit_source;
  GSource *stderr_source;
  GSource *control_source;
  GString *line;
};

/* Between fork and exec. */
typedef struct
{
  const VendWorkspace *workspace;
  const VendModelLimits *limits;
  const VendSandbox *sandbox;
  const VendRoom *room;
  pid_t parent;
} ChildSetup;

static void
prepare_child (void *data)
{
  const ChildSetup *setup = data;
  setpgid (0, 0);
  if (!vend_model_limits_enter (setup->limits))
    _exit (127);
  if (setup->room != NULL && !vend_room_join (setup->room))
    _exit (127);
  if (!vend_workspace_enter (setup->workspace))
    _exit (127);
  if (setup->sandbox != NULL && !vend_sandbox_enter (setup->sandbox))
    _exit (127);
  /* After the namespaces and the user: entering them clears it. */
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  /* In a room the parent is one that stands outside; it was looked at there. */
  if (setup->room == NULL && getppid () != setup->parent)
    _exit (127);
}

static void
take_bytes (VendModelProcess *process, const char *data, gsize size)
{
  for (gsize i = 0; i < size;)
    {
      const char *newline = memchr (data + i, '\n', size - i);
      const gsize length = newline != NULL ? (gsize) (newline - data) - i : size - i;
      const gsize room = VEND_MODEL_LINE_MAX - process->line->len;
      g_string_append_len (process->line, data + i, (gssize) MIN (length, room));
      i += length;
      if (newline == NULL)
        continue;
      i++;
      process->events->on_line (process->line->str, process->line->len, process->context);
      g_string_truncate (process->line, 0);
    }
}

/* False at the end of the pipe. */
static bool
read_stderr (VendModelProcess *process, guint rounds)
{
  char chunk[READ_SIZE];
  for (guint i = 0; i < rounds; i++)
    {
      ssize_t n = read (process->stderr_fd, chunk, sizeof chunk);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return errno == EAGAIN;
      if (n == 0)
        return false;
      take_bytes (process, chunk, (gsize) n);
    }
  return true;
}

static gboolean
on_stderr (int fd, GIOCondition condition, void *user_data)
{
  VendModelProcess *process = user_data;
  if (read_stderr (process, READS_PER_TURN))
    return G_SOURCE_CONTINUE;
  vend_gsource_clear (&process->stderr_source);
  return G_SOURCE_REMOVE;
}

/* ---- The first process of a sandbox. */

static void
note_pid (VendModelProcess *process, pid_t pid)
{
  g_autoptr (GError) problem = NULL;
  /* Best effort: a server that died at once is reported by its exit. */
  if (!vend_pid_file_write (process->pid_file, pid, &problem))
    vend_log (VEND_LOG_WARN, "model.pid not written", "error", problem->message, NULL);
}

static void
take_word (VendModelProcess *process, const char *word, pid_t sender)
{
  int status;
  long peak;
  if (strcmp (word, "pin") == 0 && process->first < 0)
    {
      process->first = (int) syscall (SYS_pidfd_open, sender, 0);
      if (process->events->on_sandbox (sender, process->context))
        (void) !send (process->control, "go", 2, MSG_NOSIGNAL | MSG_DONTWAIT);
      else
        kill (-process->pid, SIGKILL);
    }
  else if (strcmp (word, "model") == 0 && process->model == 0)
    {
      process->model = sender;
      note_pid (process, sender);
    }
  else if (sscanf (word, "end %d %ld", &status, &peak) == 2)
    {
      process->end = status;
      process->has_end = true;
      process->peak = (uint64_t) MAX (peak, 0) * 1024;
    }
}

/* False when nothing more comes now. The kernel says who sent it. */
static bool
read_control (VendModelProcess *process)
{
  char text[64];
  union
  {
    char space[CMSG_SPACE (sizeof (struct ucred))];
    struct cmsghdr align;
  } control;
  struct iovec io = { text, sizeof text - 1 };
  struct msghdr message = { .msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = control.space,
                            .msg_controllen = sizeof control.space };
  const ssize_t n = recvmsg (process->control, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n <= 0)
    return false;
  text[n] = '\0';
  const struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  struct ucred sender = { 0 };
  if (header != NULL && header->cmsg_type == SCM_CREDENTIALS)
    memcpy (&sender, CMSG_DATA (header), sizeof sender);
  take_word (process, text, sender.pid);
  return true;
}

static gboolean
on_control (int fd, GIOCondition condition, void *user_data)
{
  VendModelProcess *process = user_data;
  while (read_control (process))
    ;
  if ((condition & G_IO_HUP) == 0)
    return G_SOURCE_CONTINUE;
  vend_gsource_clear (&process->control_source);
  return G_SOURCE_REMOVE;
}

/* The kernel tells the end of a sandbox's first process when it has ended all the others. */
static void
await_sandbox (VendModelProcess *process)
{
  struct pollfd end = { .fd = process->first, .events = POLLIN };
  if (process->first >= 0)
    (void) !poll (&end, 1, SANDBOX_PATIENCE_MS);
}

/* bubblewrap's own status says 128 + N where a signal killed its child. */
static int
status_of_sandbox (VendModelProcess *process, int status)
{
  while (process->control >= 0 && read_control (process))
    ;
  if (process->control < 0)
    return status;
  if (process->has_end)
    return process->end;
  return WIFEXITED (status) && WEXITSTATUS (status) > 128 ? WEXITSTATUS (status) - 128 : status;
}

/* ---- Its end. */

static void
kill_rest (VendModelProcess *process)
{
  await_sandbox (process);
  vend_model_limits_kill (process->limits);
  for (guint i = 0; i < KILL_ROUNDS && vend_process_kill_marked (process->dir) > 0; i++)
    ;
}

static uint64_t
peak_of (const struct rusage *usage)
{
  return (uint64_t) usage->ru_maxrss * 1024;
}

/* The group is killed before its leader is reaped: until then its number cannot belong to others.
 */
static int
end_group (VendModelProcess *process)
{
  int status = 0;
  kill (-process->pid, SIGKILL);
  struct rusage usage = { 0 };
  while (wait4 (process->pid, &status, 0, &usage) < 0 && errno == EINTR)
    ;
  if (process->control < 0)
    process->peak = peak_of (&usage);
  process->pid = 0;
  status = status_of_sandbox (process, status);
  process->model = 0;
  kill_rest (process);
  return status;
}

static gboolean
on_exit_ready (int fd, GIOCondition condition, void *user_data)
{
  VendModelProcess *process = user_data;
  vend_gsource_clear (&process->exit_source);
  const int status = end_group (process);
  if (process->stderr_source != NULL)
    (void) read_stderr (process, G_MAXUINT);
  if (process->line->len > 0)
    process->events->on_line (process->line->str, process->line->len, process->context);
  g_string_truncate (process->line, 0);
  vend_gsource_clear (&process->stderr_source);
  process->events->on_exit (status, process->context);
  return G_SOURCE_REMOVE;
}

static bool
spawn (const VendModelOptions *options, VendModelProcess *process, GError **error)
{
  ChildSetup setup = { .workspace = options->workspace,
                       .limits = options->limits,
                       .sandbox = options->sandbox,
                       .room = options->room,
                       .parent = getpid () };
  const bool piped = options->takes_channel;
  const bool wrapped = options->sandbox != NULL;
  const char *const no_env[] = { NULL };
  vend_autofd null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  g_autoptr (GError) problem = NULL;
  GPid pid = 0;
  if (null_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "open '/dev/null'");
  if (!g_spawn_async_with_pipes_and_fds (
          NULL,
          wrapped ? vend_sandbox_argv (options->sandbox) : (const char *const *) options->argv,
          wrapped ? no_env : (const char *const *) options->env,
          G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH_FROM_ENVP | G_SPAWN_CLOEXEC_PIPES,
          prepare_child, &setup, piped ? -1 : null_fd, piped ? -1 : null_fd, -1, NULL, NULL, 0,
          &pid, piped ? &process->stdin_fd : NULL, piped ? &process->stdout_fd : NULL,
          &process->stderr_fd, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "start model server: %s", problem->message);
  process->pid = pid;
  if (!wrapped)
    return true;
  process->control = vend_sandbox_take_control (options->sandbox);
  vend_sandbox_started (options->sandbox);
  return true;
}

bool
vend_model_process_start (const VendModelOptions *options, VendModelProcess **out, GError **error)
{
  g_autoptr (VendModelProcess) process = g_new0 (VendModelProcess, 1);
  process->pidfd = process->control = process->first = -1;
  process->stderr_fd = process->stdin_fd = process->stdout_fd = -1;
  process->limits = options->limits;
  process->dir = g_strdup (options->dir);
  process->pid_file = g_build_filename (options->dir, "model.pid", NULL);
  process->events = options->events;
  process->context = options->context;
  process->line = g_string_new (NULL);
  if (!spawn (options, process, error))
    return false;

  process->pidfd = (int) syscall (SYS_pidfd_open, process->pid, 0);
  if (process->pidfd < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "watch model server");
  if (process->control < 0)
    note_pid (process, process->pid);
  else
    process->control_source = vend_fd_source_new (process->control, G_IO_IN | G_IO_HUP, on_control,
                                                  process, options->main_context);
  g_unix_set_fd_nonblocking (process->stderr_fd, TRUE, NULL);
  process->stderr_source = vend_fd_source_new (process->stderr_fd, G_IO_IN | G_IO_HUP, on_stderr,
                                               process, options->main_context);
  process->exit_source = vend_fd_source_new (process->pidfd, G_IO_IN | G_IO_HUP, on_exit_ready,
                                             process, options->main_context);
  *out = g_steal_pointer (&process);
  return true;
}

void
vend_model_process_take_channel (VendModelProcess *process, int *out_to, int *out_from)
{
  *out_to = vend_fd_steal (&process->stdin_fd);
  *out_from = vend_fd_steal (&process->stdout_fd);
  g_unix_set_fd_nonblocking (*out_to, TRUE, NULL);
  g_unix_set_fd_nonblocking (*out_from, TRUE, NULL);
}

void
vend_model_process_forked (VendModelProcess *process, pid_t pid)
{
  process->model = pid;
  note_pid (process, pid);
}

pid_t
vend_model_process_pid (const VendModelProcess *process)
{
  return process->pid;
}

/* /proc has none of one that ends: its memory goes first, then its connections, and the kernel
 * tells with its end, which is a moment later. */
static uint64_t
peak_of_ending (const VendModelProcess *process)
{
  siginfo_t info = { 0 };
  struct rusage usage = { 0 };
  struct pollfd end = { .fd = process->pidfd, .events = POLLIN };
  (void) !poll (&end, 1, END_PATIENCE_MS);
  if (syscall (SYS_waitid, P_PID, process->pid, &info, WEXITED | WNOHANG | WNOWAIT, &usage) < 0
      || info.si_pid == 0)
    return 0;
  return peak_of (&usage);
}

uint64_t
vend_model_process_peak (const VendModelProcess *process)
{
  static const char key[] = "\nVmHWM:";
  if (process->pid == 0 || process->has_end)
    return process->peak;
  const pid_t pid = process->model != 0 ? process->model : process->pid;
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", (int) pid);
  g_autofree char *text = NULL;
  const char *at = NULL;
  if (vend_file_read (path, MAX_STATUS, &text, NULL, NULL))
    at = strstr (text, key);
  return at != NULL ? g_ascii_strtoull (at + strlen (key), NULL, 10) * 1024
                    : peak_of_ending (process);
}

void
vend_model_process_signal (VendModelProcess *process, int signal_number)
{
  char text[16];
  if (process->pid <= 0)
    return;
  /* What kills bubblewrap kills the sandbox; other signals are for the model server. */
  if (process->control < 0 || signal_number == SIGKILL)
    kill (-process->pid, signal_number);
  else
    {
      const int length = g_snprintf (text, sizeof text, "%d", signal_number);
      (void) !send (process->control, text, (size_t) length, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

void
vend_model_process_free (VendModelProcess *process)
{
  if (process == NULL)
    return;
  vend_gsource_clear (&process->exit_source);
  vend_gsource_clear (&process->stderr_source);
  vend_gsource_clear (&process->control_source);
  if (process->pid > 0)
    end_group (process);
  else
    kill_rest (process);
  unlink (process->pid_file);
  vend_fd_clear (&process->pidfd);
  vend_fd_clear (&process->control);
  vend_fd_clear (&process->first);
  vend_fd_clear (&process->stderr_fd);
  vend_fd_clear (&process->stdin_fd);
  vend_fd_clear (&process->stdout_fd);
  g_string_free (process->line, TRUE);
  g_free (process->pid_file);
  g_free (process->dir);
  g_free (process);
}
