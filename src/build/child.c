/* Children of the builder. Blocking, one thread; one function runs between fork and exec. */
#include "build/child.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define READ_SIZE ((gsize) 32 * 1024)

struct VendChild
{
  pid_t pid; /* 0 once reaped */
  int status;
  int pidfd;
  int out_fd; /* -1 once at its end */
  int err_fd;
  gsize max_output;
  GString *output;
  GString *out_line;
  GString *err_line;
  VendChildLine on_line;
  void *data;
};

/* Between fork and exec. */
typedef struct
{
  const VendChildOptions *options;
  pid_t parent;
} ChildSetup;

static void
prepare_child (void *data)
{
  const ChildSetup *setup = data;
  const VendChildOptions *options = setup->options;
  setpgid (0, 0);
  if (options->workspace != NULL && !vend_workspace_enter (options->workspace))
    _exit (127);
  if (options->enter != NULL && !options->enter (options->place))
    _exit (127);
  /* After namespaces and users: a change of them clears it. */
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (getppid () != setup->parent)
    _exit (127);
}

bool
vend_child_start (const VendChildOptions *options, VendChild **out, GError **error)
{
  g_autoptr (VendChild) child = g_new0 (VendChild, 1);
  child->pidfd = child->out_fd = child->err_fd = -1;
  child->max_output = options->max_output;
  child->output = g_string_new (NULL);
  child->out_line = g_string_new (NULL);
  child->err_line = g_string_new (NULL);
  child->on_line = options->on_line;
  child->data = options->data;

  ChildSetup setup = { options, getpid () };
  GPid pid = 0;
  g_autoptr (GError) problem = NULL;
  vend_autofd null_fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "open '/dev/null'");
  if (!g_spawn_async_with_pipes_and_fds (
          options->cwd, options->argv, options->env,
          G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH_FROM_ENVP | G_SPAWN_CLOEXEC_PIPES,
          prepare_child, &setup, null_fd, -1, -1, options->keep_fds, options->keep_fds,
          options->n_keep_fds, &pid, NULL, &child->out_fd, &child->err_fd, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "start '%s': %s", options->argv[0],
                      problem->message);
  child->pid = pid;
  child->pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
  if (child->pidfd < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "watch '%s'", options->argv[0]);
  g_unix_set_fd_nonblocking (child->out_fd, TRUE, NULL);
  g_unix_set_fd_nonblocking (child->err_fd, TRUE, NULL);
  *out = g_steal_pointer (&child);
  return true;
}

static void
end_line (VendChild *child, GString *line)
{
  g_autofree char *text = g_utf8_make_valid (line->str, (gssize) line->len);
  g_string_truncate (line, 0);
  g_strchomp (text);
  /* What a terminal would still show of a bar that moves. */
  const char *returned = strrchr (text, '\r');
  if (child->on_line != NULL)
    child->on_line (returned != NULL ? returned + 1 : text, child->data);
}

static void
take_lines (VendChild *child, GString *line, const char *data, gsize size)
{
  for (gsize i = 0; i < size;)
    {
      const char *newline = memchr (data + i, '\n', size - i);
      const gsize length = newline != NULL ? (gsize) (newline - data) - i : size - i;
      const gsize room = VEND_CHILD_LINE_MAX - line->len;
      g_string_append_len (line, data + i, (gssize) MIN (length, room));
      i += length;
      if (newline == NULL)
        continue;
      i++;
      end_line (child, line);
    }
}

/* Reads what is there; the descriptor is closed at its end. */
static bool
drain (VendChild *child, int *fd, GString *line, bool keep, GError **error)
{
  char chunk[READ_SIZE];
  while (*fd >= 0)
    {
      const ssize_t n = read (*fd, chunk, sizeof chunk);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        return true;
      if (n <= 0)
        {
          vend_fd_clear (fd);
          return true;
        }
      if (!keep)
        {
          take_lines (child, line, chunk, (gsize) n);
          continue;
        }
      if ((gsize) n > child->max_output - child->output->len)
        return vend_fail (error, VEND_ERROR_TOO_LARGE,
                          "the output is longer than %" G_GSIZE_FORMAT " bytes", child->max_output);
      g_string_append_len (child->output, chunk, n);
    }
  return true;
}

/* The group is killed before its leader is reaped: until then its number cannot belong to others.
 */
static void
end_group (VendChild *child)
{
  kill (-child->pid, SIGKILL);
  kill (child->pid, SIGKILL);
  while (waitpid (child->pid, &child->status, 0) < 0 && errno == EINTR)
    ;
  child->pid = 0;
}

bool
vend_child_pump (VendChild *child, int timeout_ms, bool *out_ended, GError **error)
{
  struct pollfd fds[] = {
    { .fd = child->pid != 0 ? child->pidfd : -1, .events = POLLIN },
    { .fd = child->out_fd, .events = POLLIN },
    { .fd = child->err_fd, .events = POLLIN },
  };
  *out_ended = false;
  if (child->pid != 0 && poll (fds, G_N_ELEMENTS (fds), timeout_ms) < 0 && errno != EINTR)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "poll");

  /* Asked first: what the child wrote before its end is then read below. */
  const bool ended = child->pid == 0 || (fds[0].revents & POLLIN) != 0;
  if (ended && child->pid != 0)
    end_group (child);
  if (!drain (child, &child->out_fd, child->out_line, child->max_output > 0, error)
      || !drain (child, &child->err_fd, child->err_line, false, error))
    return false;
  if (!ended)
    return true;
  if (child->out_line->len > 0)
    end_line (child, child->out_line);
  if (child->err_line->len > 0)
    end_line (child, child->err_line);
  *out_ended = true;
  return true;
}

char *
vend_child_dup_failure (const VendChild *child)
{
  if (WIFSIGNALED (child->status))
    return g_strdup_printf ("ended by signal %d", WTERMSIG (child->status));
  if (WEXITSTATUS (child->status) != 0)
    return g_strdup_printf ("exited with status %d", WEXITSTATUS (child->status));
  return NULL;
}

const char *
vend_child_output (const VendChild *child)
{
  return child->output->str;
}

void
vend_child_free (VendChild *child)
{
  if (child == NULL)
    return;
  if (child->pid != 0)
    end_group (child);
  vend_fd_clear (&child->pidfd);
  vend_fd_clear (&child->out_fd);
  vend_fd_clear (&child->err_fd);
  g_string_free (child->output, TRUE);
  g_string_free (child->out_line, TRUE);
  g_string_free (child->err_line, TRUE);
  g_free (child);
}

bool
vend_child_run (const VendChildOptions *options, const char *what, char **out_output,
                GError **error)
{
  g_autoptr (VendChild) child = NULL;
  bool ended = false;
  if (!vend_child_start (options, &child, error))
    return false;
  while (!ended)
    if (!vend_child_pump (child, -1, &ended, error))
      {
        g_prefix_error (error, "%s: ", what);
        return false;
      }
  g_autofree char *failure = vend_child_dup_failure (child);
  if (failure != NULL)
    return vend_fail (error, VEND_ERROR_RUNNER, "%s %s; the log says why", what, failure);
  if (out_output != NULL)
    *out_output = g_strdup (child->output->str);
  return true;
}
