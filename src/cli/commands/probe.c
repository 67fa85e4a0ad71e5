/* Asks other programs for their version, within a time limit. Main thread only. */
#include "cli/commands/probe.h"
#include "base/clock.h"
#include "base/fd.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define TIME_LIMIT_US (5 * VEND_US_PER_S)
#define MAX_OUTPUT 4096

/* Until the end of output, the limit of bytes or of time. */
static bool
read_output (int fd, GString *text)
{
  int64_t deadline_us = g_get_monotonic_time () + TIME_LIMIT_US;
  for (;;)
    {
      char chunk[512];
      int64_t left_us = deadline_us - g_get_monotonic_time ();
      struct pollfd watched = { .fd = fd, .events = POLLIN };
      if (left_us <= 0 || poll (&watched, 1, (int) (left_us / VEND_US_PER_MS) + 1) == 0)
        return false;
      ssize_t n = read (fd, chunk, sizeof chunk);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return n == 0;
      if (text->len < MAX_OUTPUT)
        g_string_append_len (text, chunk, n);
    }
}

bool
vend_probe_line (const char *const *argv, char **out_line)
{
  g_autofree char *path = g_find_program_in_path (argv[0]);
  g_autoptr (GString) text = g_string_new (NULL);
  vend_autofd out = -1;
  GPid pid = 0;
  int status = 0;
  if (path == NULL
      || !g_spawn_async_with_pipes (NULL, (char **) argv, NULL,
                                    G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD
                                        | G_SPAWN_STDERR_TO_DEV_NULL,
                                    NULL, NULL, &pid, NULL, &out, NULL, NULL))
    return false;

  bool is_complete = read_output (out, text);
  if (!is_complete)
    kill (pid, SIGKILL);
  pid_t waited;
  do
    waited = waitpid (pid, &status, 0);
  while (waited < 0 && errno == EINTR);
  if (!is_complete || waited != pid || !WIFEXITED (status) || WEXITSTATUS (status) != 0)
    return false;
  g_string_truncate (text, strcspn (text->str, "\n"));
  *out_line = g_string_free (g_steal_pointer (&text), FALSE);
  return true;
}
