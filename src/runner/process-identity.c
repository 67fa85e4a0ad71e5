/* Processes identified by pid and start time. Reads /proc. */
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

static bool
is_process (pid_t pid, uint64_t start_time)
{
  uint64_t actual;
  return vend_process_start_time (pid, &actual) && actual == start_time;
}

bool
vend_pid_file_alive (const char *path, pid_t *out_pid)
{
  pid_t pid;
  uint64_t start_time;
  if (!read_pid_file (path, &pid, &start_time) || !is_process (pid, start_time))
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
vend_process_signal (pid_t pid, uint64_t start_time, int signal_number)
{
  vend_autofd pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
  /* The pid may have been reused before the descriptor was opened, not after. */
  return pidfd >= 0 && is_process (pid, start_time) && signal_through (pidfd, signal_number);
}

bool
vend_pid_file_signal (const char *path, int signal_number)
{
  pid_t pid;
  uint64_t start_time;
  return read_pid_file (path, &pid, &start_time)
         && vend_process_signal (pid, start_time, signal_number);
}

/* ---- Processes of instances */

/* Words of a file, each with a NUL at its end. */
typedef struct
{
  char *text;
  gsize size;
} Words;

static void
words_clear (Words *words)
{
  g_free (words->text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Words, words_clear)

/* Empty when the process is gone. */
static Words
read_words (const char *number, const char *file)
{
  g_autofree char *path = g_build_filename ("/proc", number, file, NULL);
  Words words = { NULL, 0 };
  if (!vend_file_read (path, MAX_ENVIRON, &words.text, &words.size, NULL))
    words.size = 0;
  return words;
}

/* The word after `word`, or the first word; NULL after the last. */
static const char *
next_word (const Words *words, const char *word)
{
  const char *next = word == NULL ? words->text : word + strlen (word) + 1;
  return next != NULL && next < words->text + words->size ? next : NULL;
}

/* The directory in the arguments of a director, or NULL. */
static const char *
director_dir (const Words *arguments)
{
  static const char *const expected[] = { NULL, "director", "--dir" };
  const char *word = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      word = next_word (arguments, word);
      if (word == NULL || (expected[i] != NULL && strcmp (word, expected[i]) != 0))
        return NULL;
    }
  return next_word (arguments, word);
}

/* The mark in the environment of a process, or NULL. */
static const char *
marked_dir (const Words *environment)
{
  for (const char *word = NULL; (word = next_word (environment, word)) != NULL;)
    if (g_str_has_prefix (word, VEND_PROCESS_MARK "="))
      return word + strlen (VEND_PROCESS_MARK "=");
  return NULL;
}

static void
check_process (const char *number, bool directors, VendProcessSeen seen, void *data)
{
  const pid_t pid = (pid_t) g_ascii_strtoll (number, NULL, 10);
  g_auto (Words) arguments = { NULL, 0 };
  if (directors)
    arguments = read_words (number, "cmdline");
  const char *directed = director_dir (&arguments);
  if (directed != NULL)
    {
      seen (pid, true, directed, data);
      return;
    }
  g_auto (Words) environment = read_words (number, "environ");
  const char *marked = marked_dir (&environment);
  if (marked != NULL)
    seen (pid, false, marked, data);
}

/* All marked processes; with `directors` directors too, which costs a second read for each
 * process. */
static void
walk (bool directors, VendProcessSeen seen, void *data)
{
  g_autoptr (GDir) processes = g_dir_open ("/proc", 0, NULL);
  for (const char *name; processes != NULL && (name = g_dir_read_name (processes)) != NULL;)
    if (g_ascii_isdigit (name[0]))
      check_process (name, directors, seen, data);
}

typedef struct
{
  const char *dir;
  guint n;
} Killing;

static void
kill_if_marked (pid_t pid, bool is_director, const char *dir, void *data)
{
  Killing *killing = data;
  if (pid == getpid () || strcmp (dir, killing->dir) != 0)
    return;
  g_autofree char *number = g_strdup_printf ("%d", (int) pid);
  vend_autofd pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
  /* The pid may have been reused before the descriptor was opened, not after. */
  g_auto (Words) environment = read_words (number, "environ");
  if (pidfd >= 0 && g_strcmp0 (marked_dir (&environment), dir) == 0
      && signal_through (pidfd, SIGKILL))
    killing->n++;
}

guint
vend_process_kill_marked (const char *dir)
{
  Killing killing = { dir, 0 };
  walk (false, kill_if_marked, &killing);
  return killing.n;
}

static void
kill_if_director (pid_t pid, bool is_director, const char *dir, void *data)
{
  Killing *killing = data;
  if (!is_director || strcmp (dir, killing->dir) != 0)
    return;
  g_autofree char *number = g_strdup_printf ("%d", (int) pid);
  vend_autofd pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
  /* As above. */
  g_auto (Words) arguments = read_words (number, "cmdline");
  if (pidfd >= 0 && g_strcmp0 (director_dir (&arguments), dir) == 0
      && signal_through (pidfd, SIGKILL))
    killing->n++;
}

guint
vend_process_kill_directors (const char *dir)
{
  Killing killing = { dir, 0 };
  walk (true, kill_if_director, &killing);
  return killing.n;
}

typedef struct
{
  const char *parent;
  VendProcessSeen seen;
  void *data;
} Looking;

static void
see_if_in (pid_t pid, bool is_director, const char *dir, void *data)
{
  const Looking *looking = data;
  const gsize length = strlen (looking->parent);
  if (strncmp (dir, looking->parent, length) == 0 && dir[length] == '/' && dir[length + 1] != '\0')
    looking->seen (pid, is_director, dir, looking->data);
}

void
vend_process_each (const char *parent, VendProcessSeen seen, void *data)
{
  Looking looking = { parent, seen, data };
  walk (true, see_if_in, &looking);
}

void
vend_process_each_marked (const char *parent, VendProcessSeen seen, void *data)
{
  Looking looking = { parent, seen, data };
  walk (false, see_if_in, &looking);
}
