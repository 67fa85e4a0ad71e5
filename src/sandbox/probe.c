/* Tries what this machine lets Vend make. */
#include "sandbox/probe.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/idmap.h"
#include "sandbox/sandbox.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PREFIX ".probe-"
#define TOKEN "it works"
#define MAX_SAID ((gsize) 4096)

/* ---- A try */

static void
enter (void *data)
{
  if (!vend_sandbox_enter (data))
    {
      static const char text[] = "mounts or a user of its own are not allowed here\n";
      (void) !write (STDERR_FILENO, text, sizeof text - 1);
      _exit (127);
    }
}

static char *
first_line (const char *text)
{
  const char *end = strchrnul (text, '\n');
  return end > text ? g_strndup (text, (gsize) (end - text)) : NULL;
}

/* Which way it ends is heard by what it prints: the status is that of bubblewrap. */
static bool
spawn (VendSandbox *sandbox, GError **error)
{
  const char *const no_env[] = { NULL };
  int output = -1;
  int problems = -1;
  GPid pid = 0;
  vend_autofd control = vend_sandbox_take_control (sandbox);
  g_autoptr (GError) problem = NULL;
  if (!g_spawn_async_with_pipes_and_fds (NULL, vend_sandbox_argv (sandbox), no_env,
                                         G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES, enter,
                                         sandbox, -1, -1, -1, NULL, NULL, 0, &pid, NULL, &output,
                                         &problems, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "%s", problem->message);
  vend_autofd output_end = output;
  vend_autofd problems_end = problems;
  vend_sandbox_started (sandbox);
  if (control >= 0)
    (void) !send (control, "go", 2, MSG_NOSIGNAL);
  g_autofree char *said = NULL;
  g_autofree char *wrong = NULL;
  (void) !vend_fd_read_all (output_end, "probe", MAX_SAID, &said, NULL, NULL);
  (void) !vend_fd_read_all (problems_end, "probe", MAX_SAID, &wrong, NULL, NULL);
  while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
  if (said != NULL && strcmp (said, TOKEN) == 0)
    return true;
  g_autofree char *line = first_line (wrong != NULL ? wrong : "");
  return vend_fail (error, VEND_ERROR_RUNNER, "%s",
                    line != NULL ? line : "a program in it does not see what it should");
}

static bool
try_kind (const char *dir, VendIsolation kind, GError **error)
{
  g_autofree char *tmp = g_build_filename (dir, "tmp", NULL);
  g_autofree char *secret = g_build_filename (dir, "secret", NULL);
  g_autofree char *shown = g_build_filename (dir, "shown", NULL);
  /* Read, not asked: Landlock lets a program ask. */
  static const char script[] = "! cat \"$1\" > /dev/null 2>&1 && cat \"$2\" > /dev/null"
                               " && printf %s '" TOKEN "'";
  char *const argv[]
      = { (char *) "/bin/sh", (char *) "-c", (char *) script, (char *) "sh", secret, shown, NULL };
  char *const env[] = { (char *) "PATH=/usr/bin:/bin", NULL };
  const uid_t uid = geteuid () == 0 && kind == VEND_ISOLATION_SANDBOX ? VEND_SANDBOX_FIRST_UID : 0;
  g_autoptr (VendSandboxPaths) paths = vend_sandbox_paths_new ();
  vend_autofd idmap = -1;
  if (!vend_dir_ensure (tmp, error) || !vend_file_replace (secret, "x", 1, 0600, error)
      || !vend_file_replace (shown, "x", 1, 0600, error)
      || (uid != 0 && !vend_idmap_new (uid, &idmap, error)))
    return false;
  if (uid != 0 && chown (tmp, uid, uid) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "give a folder to another user");
  vend_sandbox_paths_read (paths, shown, NULL);
  const VendSandboxOptions options = { .kind = kind,
                                       .network = VEND_NETWORK_HOST,
                                       .uid = uid,
                                       .idmap = idmap,
                                       .cwd = "/",
                                       .tmp = tmp,
                                       .argv = argv,
                                       .env = env,
                                       .paths = paths };
  g_autoptr (VendSandbox) sandbox = NULL;
  return vend_sandbox_new (&options, &sandbox, error) && spawn (sandbox, error);
}

/* ---- What works */

#define APPARMOR "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"

/* Ubuntu from 23.10 on lets only programs with a profile make user namespaces. */
static const char *
advice (void)
{
  g_autofree char *text = NULL;
  if (!vend_file_read (APPARMOR, 16, &text, NULL, NULL) || *text != '1')
    return "";
  return " (AppArmor lets no program make user namespaces without a profile: apt install "
         "apparmor-profiles, copy /usr/share/apparmor/extra-profiles/bwrap-userns-restrict to "
         "/etc/apparmor.d, and load it with apparmor_parser -r)";
}

static void
find (const char *dir, VendIsolationFound *found)
{
  g_autoptr (GError) no_sandbox = NULL;
  g_autoptr (GError) no_landlock = NULL;
  if (try_kind (dir, VEND_ISOLATION_SANDBOX, &no_sandbox))
    {
      found->kind = VEND_ISOLATION_SANDBOX;
      found->own_user = geteuid () == 0;
      return;
    }
  if (try_kind (dir, VEND_ISOLATION_LANDLOCK, &no_landlock))
    {
      found->kind = VEND_ISOLATION_LANDLOCK;
      found->why = g_strdup_printf ("no sandbox: %s%s", no_sandbox->message, advice ());
      return;
    }
  found->why = g_strdup_printf ("no sandbox: %s%s; no Landlock: %s", no_sandbox->message, advice (),
                                no_landlock->message);
}

VendIsolationFound *
vend_isolation_probe (const char *data_dir, VendIsolationSetting setting)
{
  VendIsolationFound *found = g_new0 (VendIsolationFound, 1);
  g_autoptr (GError) left = NULL;
  found->kind = VEND_ISOLATION_NONE;
  if (setting == VEND_ISOLATE_OFF)
    {
      found->why = g_strdup ("isolation is off");
      return found;
    }
  g_autofree char *dir = g_build_filename (data_dir, PREFIX "XXXXXX", NULL);
  if (g_mkdtemp_full (dir, 0700) == NULL)
    {
      found->why = g_strdup_printf ("nothing can be tried in %s", data_dir);
      return found;
    }
  find (dir, found);
  (void) !vend_tree_remove (dir, &left);
  return found;
}

VendIsolationFound *
vend_isolation_found_copy (const VendIsolationFound *found)
{
  VendIsolationFound *copy = g_memdup2 (found, sizeof *found);
  copy->why = g_strdup (found->why);
  return copy;
}

void
vend_isolation_found_free (VendIsolationFound *found)
{
  if (found == NULL)
    return;
  g_free (found->why);
  g_free (found);
}

char *
vend_isolation_describe (const VendIsolationFound *found)
{
  static const char *const words[] = {
    [VEND_ISOLATION_SANDBOX] = "bubblewrap: namespaces, a filter of system calls, Landlock",
    [VEND_ISOLATION_LANDLOCK] = "Landlock and a filter of system calls, without namespaces",
    [VEND_ISOLATION_NONE] = "none: models run as the user of 'vend serve'",
  };
  return g_strdup_printf (
      "%s%s%s%s", words[found->kind], found->own_user ? "; a user of its own for each account" : "",
      found->why != NULL ? "; no stronger one, since " : "", found->why != NULL ? found->why : "");
}
