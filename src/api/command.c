/* Commands of this binary that the server runs. Threads of lanes. */
#include "api/command.h"
#include "base/error.h"
#include "base/log.h"
#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SELF "/proc/self/exe"
#define MAX_SECONDS 60
#define NICE 10

/* One at a time: they are for people who look, and take a core. */
static gint is_running;

/* Between fork and exec: only what is safe there. An alarm outlives the exec. */
static void
bound (void *unused)
{
  struct rlimit none = { 0, 0 };
  (void) setrlimit (RLIMIT_CORE, &none);
  (void) setpriority (PRIO_PROCESS, 0, NICE);
  (void) alarm (MAX_SECONDS);
}

/* A flag of the server is in no file and no environment. */
static void
add_flags (GSubprocessLauncher *launcher, const VendSettings *settings)
{
  gsize n = 0;
  const VendSettingInfo *infos = vend_setting_infos (&n);
  for (gsize i = 0; i < n; i++)
    {
      const char *source = NULL;
      const char *value = vend_settings_raw (settings, infos[i].name, &source);
      if (strcmp (source, "flag") != 0)
        continue;
      g_autofree char *upper = g_ascii_strup (infos[i].name, -1);
      g_autofree char *name = g_strconcat ("VEND_", g_strdelimit (upper, "-", '_'), NULL);
      g_subprocess_launcher_setenv (launcher, name, value, TRUE);
    }
}

static GSubprocess *
start (const VendSettings *settings, const char *const *words, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                   | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_ptr_array_add (argv, (char *) SELF);
  for (; *words != NULL; words++)
    g_ptr_array_add (argv, (char *) *words);
  g_ptr_array_add (argv, NULL);
  g_subprocess_launcher_set_child_setup (launcher, bound, NULL, NULL);
  add_flags (launcher, settings);
  return g_subprocess_launcher_spawnv (launcher, (const char *const *) argv->pdata, error);
}

static bool
run (const VendSettings *settings, const char *const *words, const char *input, char **out,
     GError **error)
{
  g_autofree char *said = NULL, *wrote = NULL;
  g_autoptr (GSubprocess) child = start (settings, words, error);
  if (child == NULL
      || !g_subprocess_communicate_utf8 (child, input != NULL ? input : "", NULL, &wrote, &said,
                                         error))
    return false;
  if (g_subprocess_get_if_signaled (child) && g_subprocess_get_term_sig (child) == SIGALRM)
    return vend_fail (error, VEND_ERROR_TIMEOUT, "'vend %s' took longer than %d s", words[0],
                      MAX_SECONDS);
  /* A command that found something wrong says so in what it writes, and fails. */
  if (!g_subprocess_get_if_exited (child) || *wrote == '\0')
    {
      vend_log (VEND_LOG_ERROR, "a command of the server failed", "command", words[0], "said", said,
                NULL);
      return vend_fail (error, VEND_ERROR_INTERNAL, "'vend %s' failed", words[0]);
    }
  *out = g_steal_pointer (&wrote);
  return true;
}

bool
vend_api_command_run (const VendSettings *settings, const char *const *words, const char *input,
                      char **out, GError **error)
{
  if (!g_atomic_int_compare_and_exchange (&is_running, 0, 1))
    return vend_fail (error, VEND_ERROR_BUSY,
                      "the server is at work on another advice or doctor; try again in a moment");
  const bool good = run (settings, words, input, out, error);
  g_atomic_int_set (&is_running, 0);
  return good;
}
