/* Preparations of a process before anything else. Main thread, before any other thread starts. */
#include "base/process-start.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

#define EXIT_NO_DESCRIPTORS 1

static void
fill (int fd, int flags)
{
  if (fcntl (fd, F_GETFD) >= 0 || errno != EBADF)
    return;
  /* open takes the lowest free number, and all lower numbers are in use by now. */
  if (open ("/dev/null", flags) != fd)
    _exit (EXIT_NO_DESCRIPTORS);
}

void
vend_process_fill_descriptors (void)
{
  fill (STDIN_FILENO, O_RDWR);
  /* Read-only: a command with closed stdout fails, as it would without this. */
  fill (STDOUT_FILENO, O_RDONLY);
  fill (STDERR_FILENO, O_RDWR);
}

char *
vend_process_take_variable (const char *name)
{
  const gsize length = strlen (name);
  char *taken = NULL;
  /* A name may occur several times. */
  for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
    if (strncmp (*entry, name, length) == 0 && (*entry)[length] == '=')
      {
        char *value = *entry + length + 1;
        if (taken == NULL)
          taken = g_strdup (value);
        explicit_bzero (value, strlen (value));
      }
  g_unsetenv (name);
  return taken;
}

static void
do_nothing (int number)
{
}

void
vend_process_survive_signals (void)
{
  static const int numbers[]
      = { SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGXFSZ };
  const struct sigaction action = { .sa_handler = do_nothing, .sa_flags = SA_RESTART };
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    sigaction (numbers[i], &action, NULL);
}

static void
hide (char *text)
{
  memset (text, '*', strlen (text));
}

char **
vend_process_hide_options (char **argv, const char *const *names)
{
  char **copy = g_strdupv (argv);
  for (gsize i = 0; argv[i] != NULL && strcmp (argv[i], "--") != 0; i++)
    for (gsize n = 0; names[n] != NULL; n++)
      {
        const gsize length = strlen (names[n]);
        if (strncmp (argv[i], names[n], length) != 0)
          continue;
        if (argv[i][length] == '=')
          hide (argv[i] + length + 1);
        else if (argv[i][length] == '\0' && argv[i + 1] != NULL)
          hide (argv[i + 1]);
      }
  return copy;
}
