/* Processes known by pid and start time. Reads /proc. */
#include "runner/process-identity.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define MAX_STAT ((gsize) 4096)
#define MAX_ENVIRON ((gsize) 1 << 20)
#define MAX_PID_FILE ((gsize) 64)
/* Of vend_process_stat. */
enum
{
  FIELD_STATE = 0,
  FIELD_START_TIME = 19,
};

char **
vend_process_stat (const char *pid, guint n)
{
  g_autofree char *path = g_build_filename ("/proc", pid, "stat", NULL);
  g_autofree char *text = NULL;
  if (!vend_file_read (path, MAX_STAT, &text, NULL, NULL))
    return NULL;
  /* The name in parentheses may hold spaces and parentheses. */
  const char *name_end = strrchr (text, ')');
  if (name_end == NULL || name_end[1] != ' ')
    return NULL;
  g_auto (GStrv) fields = g_strsplit (name_end + 2, " ", (int) n + 1);
  return g_strv_length (fields) >= n ? g_steal_pointer (&fields) : NULL;
}

bool
vend_process_start_time (pid_t pid, uint64_t *out_start)
{
  g_autofree char *number = g_strdup_printf ("%d", (int) pid);
  g_auto (GStrv) fields = vend_process_stat (number, FIELD_START_TIME + 1);
  if (fields == NULL || fields[FIELD_STATE][0] == 'Z' || fields[FIELD_STATE][0] == 'X')
    return false;
  *out_start = g_ascii_strtoull (fields[FIELD_START_TIME], NULL, 10);
  return true;
}

bool
vend_pid_file_write (const char *path, pid_t pid, GError **error)
{
  uint64_t start;
  if (!vend_process_start_time (pid, &start))
    return vend_fail (error, VEND_ERROR_RUNNER, "process %d is gone", (int) pid);
  g_autofree char *text = g_strdup_printf ("%d %" G_GUINT64_FORMAT "\n", (int) pid, start);
  return vend_file_replace (path, text, strlen (text), 0600, error);
}

static bool
read_pid_file (const char *path, pid_t *out_pid, uint64_t *out_start)
{
  g_autofree char *text = NULL;
  if (!vend_file_read (path, MAX_PID_FILE, &text, NULL, NULL))
    return false;
  char *end;
  const gint64 pid = g_ascii_strtoll (text, &end, 10);
  if (pid <= 1 || pid > G_MAXINT32 || *end != ' ')
    return false;
  *out_pid = (pid_t) pid;
  *out_start = g_ascii_strtoull (end + 1, NULL, 10);
  return true;
}

bool
vend_pid_file_alive (const char *path, pid_t *out_pid)
{
  pid_t pid;
  uint64_t recorded;
  uint64_t actual;
  if (!read_pid_file (path, &pid, &recorded) || !vend_process_start_time (pid, &actual)
      || actual != recorded)
    return false;
  if (out_pid != NULL)
    *out_pid = pid;
  return true;
}

static bool
signal_through (int pidfd, int signal_number)
{
  return syscall (SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0) == 0;
}

bool
vend_pid_file_signal (const char *path, int signal_number)
{
  pid_t pid;
  if (!vend_pid_file_alive (path, &pid))
    return false;
  vend_autofd pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
  /* The number may have changed hands before the descriptor was opened, not after. */
  return pidfd >= 0 && vend_pid_file_alive (path, NULL) && signal_through (pidfd, signal_number);
}

static bool
is_marked (const char *pid, const char *mark)
{
  g_autofree char *path = g_build_filename ("/proc", pid, "environ", NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  if (!vend_file_read (path, MAX_ENVIRON, &text, &size, NULL))
    return false;
  for (gsize i = 0; i < size; i += strlen (text + i) + 1)
    if (strcmp (text + i, mark) == 0)
      return true;
  return false;
}

static bool
kill_if_marked (const char *name, const char *mark)
{
  if (!g_ascii_isdigit (name[0]) || !is_marked (name, mark))
    return false;
  const pid_t pid = (pid_t) g_ascii_strtoll (name, NULL, 10);
  if (pid == getpid ())
    return false;
  vend_autofd pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
  return pidfd >= 0 && is_marked (name, mark) && signal_through (pidfd, SIGKILL);
}

guint
vend_process_kill_marked (const char *dir)
{
  g_autofree char *mark = g_strconcat (VEND_PROCESS_MARK "=", dir, NULL);
  g_autoptr (GDir) processes = g_dir_open ("/proc", 0, NULL);
  guint killed = 0;
  for (const char *name; processes != NULL && (name = g_dir_read_name (processes)) != NULL;)
    if (kill_if_marked (name, mark))
      killed++;
  return killed;
}

/* ---- All of them */

static bool
is_in (const char *dir, const char *parent)
{
  const gsize length = strlen (parent);
  return strncmp (dir, parent, length) == 0 && dir[length] == '/' && dir[length + 1] != '\0';
}

/* The words of a file in which each ends with a NUL. */
static GPtrArray *
read_words (const char *pid, const char *file)
{
  g_autofree char *path = g_build_filename ("/proc", pid, file, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  gsize size = 0;
  if (vend_file_read (path, MAX_ENVIRON, &text, &size, NULL))
    for (gsize i = 0; i < size; i += strlen (text + i) + 1)
      g_ptr_array_add (words, g_strdup (text + i));
  return g_steal_pointer (&words);
}

/* Borrowed from `words`, or NULL. */
static const char *
director_dir (const GPtrArray *words)
{
  if (words->len < 4 || strcmp (g_ptr_array_index (words, 1), "director") != 0
      || strcmp (g_ptr_array_index (words, 2), "--dir") != 0)
    return NULL;
  return g_ptr_array_index (words, 3);
}

static const char *
marked_dir (const GPtrArray *words)
{
  for (guint i = 0; i < words->len; i++)
    {
      const char *word = g_ptr_array_index (words, i);
      if (g_str_has_prefix (word, VEND_PROCESS_MARK "="))
        return word + strlen (VEND_PROCESS_MARK "=");
    }
  return NULL;
}

void
vend_process_each (const char *parent, VendProcessSeen seen, void *data)
{
  g_autoptr (GDir) processes = g_dir_open ("/proc", 0, NULL);
  for (const char *name; processes != NULL && (name = g_dir_read_name (processes)) != NULL;)
    {
      if (!g_ascii_isdigit (name[0]))
        continue;
      g_autoptr (GPtrArray) arguments = read_words (name, "cmdline");
      g_autoptr (GPtrArray) environment = read_words (name, "environ");
      const char *directed = director_dir (arguments);
      const char *dir = directed != NULL ? directed : marked_dir (environment);
      if (dir != NULL && is_in (dir, parent))
        seen ((pid_t) g_ascii_strtoll (name, NULL, 10), directed != NULL, dir, data);
    }
}
