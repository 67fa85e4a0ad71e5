/* What a director puts its model into, as its spec says. Main context. */
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "director/director-private.h"
#include "hardware/machine.h"
#include "runner/process-identity.h"
#include "sandbox/pin.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

char **
vend_director_environment (const VendDirector *director, char *const *env)
{
  const VendSpec *spec = director->spec;
  const char *tmpdir = vend_workspace_tmpdir (director->workspace);
  char **own = g_strdupv ((char **) env);
  own = g_environ_setenv (own, VEND_PROCESS_MARK, director->dir, TRUE);
  if (tmpdir != NULL)
    own = g_environ_setenv (own, "TMPDIR", tmpdir, TRUE);
  /* A sandbox shows it where HOME is anyway. */
  if (spec->isolation == VEND_ISOLATION_LANDLOCK && spec->home != NULL)
    own = g_environ_setenv (own, "HOME", spec->home, TRUE);
  return vend_director_network_environment (spec, own);
}

bool
vend_director_check_isolation (const VendSpec *spec, GError **error)
{
  const char *why = spec->isolation_why != NULL ? spec->isolation_why : "the reason is not known";
  if (spec->isolation == VEND_ISOLATION_SANDBOX || (!spec->needs_sandbox && !spec->has_root))
    return true;
  if (spec->has_root)
    return vend_fail (error, VEND_ERROR_RUNNER,
                      "images run in a sandbox alone, and this machine makes none: %s; 'vend "
                      "doctor' says more",
                      why);
  return vend_fail (error, VEND_ERROR_RUNNER,
                    "the setting isolation is 'required', and this machine makes no sandbox: %s; "
                    "'vend doctor' says more",
                    why);
}

/* ---- What it shows */

static bool
make_own (const VendSpec *spec, const char *folder, GError **error)
{
  if (!vend_dir_ensure (folder, error))
    return false;
  return spec->model_user == 0 || chown (folder, spec->model_user, spec->model_user) == 0
         || vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "give '%s' to the model", folder);
}

/* Each on its own: what lies beside them is the director's. */
static bool
show_run_folders (const VendDirector *director, VendSandboxPaths *paths, GError **error)
{
  for (guint i = 0; i < director->spec->slots; i++)
    {
      g_autofree char *number = g_strdup_printf ("%u", i);
      g_autofree char *folder = g_build_filename (director->dir, "runs", number, NULL);
      if (!make_own (director->spec, folder, error))
        return false;
      vend_sandbox_paths_write (paths, folder, NULL);
    }
  return true;
}

static bool
show_home (VendDirector *director, VendSandboxPaths *paths, char *const *env, GError **error)
{
  const VendSpec *spec = director->spec;
  const char *home = g_environ_getenv ((char **) env, "HOME");
  if (spec->home == NULL || home == NULL)
    return true;
  if (!vend_director_open_home (director, error))
    return false;
  vend_sandbox_paths_write (paths, spec->home, home);
  return true;
}

/* Of an environment all of it is shown already. */
static void
show_folder (VendSandboxPaths *paths, const char *folder)
{
  for (guint i = 0; i < vend_sandbox_paths_count (paths); i++)
    {
      const char *shown = vend_sandbox_paths_get (paths, i)->to;
      if (g_str_has_prefix (folder, shown) && folder[strlen (shown)] == '/')
        return;
    }
  if (!g_str_has_prefix (folder, "/usr/") && !g_str_has_prefix (folder, "/bin"))
    vend_sandbox_paths_read (paths, folder, NULL);
}

static void
show_python (VendSandboxPaths *paths, char *const *argv, char *const *env)
{
  const char *environment = g_environ_getenv ((char **) env, "VIRTUAL_ENV");
  g_auto (GStrv) folders = g_strsplit (g_environ_getenv ((char **) env, "PATH"), ":", -1);
  if (environment != NULL)
    {
      g_autofree char *python = g_build_filename (environment, "bin", "python", NULL);
      vend_sandbox_paths_python (paths, python);
    }
  if (g_path_is_absolute (argv[0]))
    vend_sandbox_paths_python (paths, argv[0]);
  for (gsize i = 0; folders != NULL && folders[i] != NULL; i++)
    {
      g_autofree char *python = g_build_filename (folders[i], argv[0], NULL);
      if (g_path_is_absolute (folders[i]) && g_file_test (python, G_FILE_TEST_EXISTS))
        {
          vend_sandbox_paths_python (paths, python);
          show_folder (paths, folders[i]);
        }
    }
}

/* The working copy is all of it. */
static void
show_root (const VendDirector *director, VendSandboxPaths *paths, char *const *env)
{
  vend_sandbox_paths_write (paths, vend_workspace_cwd (director->workspace), "/");
  vend_sandbox_paths_gpus (paths, g_environ_getenv ((char **) env, "CUDA_VISIBLE_DEVICES"));
}

/* A snapshot has kept paths of where it is: they lead to what the instance has of it. */
static void
show_snapshot (const VendDirector *director, VendSandboxPaths *paths, const char *slots)
{
  const VendSpec *spec = director->spec;
  if (director->room == NULL || spec->room_folder == NULL)
    return;
  g_autofree char *copy = g_build_filename (spec->room_folder, "work", "src", NULL);
  g_autofree char *sockets = g_build_filename (spec->room_folder, "slots", NULL);
  vend_sandbox_paths_write (paths, vend_workspace_cwd (director->workspace), copy);
  vend_sandbox_paths_given (paths, slots, sockets);
}

/* What is in sight of a start that asks for a fork, or writes down what is imported. */
static bool
show_start (const VendDirector *director, VendSandboxPaths *paths, char *const *env, GError **error)
{
  static const char *const sockets[] = { "VEND_LAUNCH_ZYGOTE", "VEND_LAUNCH_SNAPSHOT" };
  const char *record = g_environ_getenv ((char **) env, "VEND_LAUNCH_RECORD");
  for (guint i = 0; i < G_N_ELEMENTS (sockets); i++)
    {
      const char *path = g_environ_getenv ((char **) env, sockets[i]);
      if (path != NULL)
        vend_sandbox_paths_given (paths, path, NULL);
    }
  if (record == NULL)
    return true;
  const uid_t user = director->spec->model_user;
  if (!vend_file_replace (record, "", 0, 0600, error))
    return false;
  if (user != 0 && chown (record, user, user) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "give '%s' to the model", record);
  vend_sandbox_paths_write (paths, record, NULL);
  return true;
}

static bool
show_all (VendDirector *director, VendSandboxPaths *paths, char *const *argv, char *const *env,
          GError **error)
{
  const char *cwd = vend_workspace_cwd (director->workspace);
  g_autofree char *slots = g_build_filename (director->dir, "slots", NULL);
  vend_sandbox_paths_write (paths, cwd, NULL);
  if (!make_own (director->spec, slots, error) || !show_run_folders (director, paths, error)
      || !show_home (director, paths, env, error))
    return false;
  vend_sandbox_paths_given (paths, slots, NULL);
  show_snapshot (director, paths, slots);
  show_python (paths, argv, env);
  if (!show_start (director, paths, env, error))
    return false;
  vend_sandbox_paths_weights (paths, director->spec->links, env);
  vend_sandbox_paths_gpus (paths, g_environ_getenv ((char **) env, "CUDA_VISIBLE_DEVICES"));
  return true;
}

/* Memory and files at once, so the narrower of both bounds it. */
static uint64_t
shared_memory (const VendSpec *spec)
{
  const uint64_t memory = spec->limits.memory > 0 ? spec->limits.memory : vend_machine_memory ();
  return spec->max_disk > 0 ? MIN (memory / 2, spec->max_disk) : memory / 2;
}

bool
vend_director_make_sandbox (VendDirector *director, char *const *argv, char *const *env,
                            int launcher, VendSandbox **out, GError **error)
{
  const VendSpec *spec = director->spec;
  g_autoptr (VendSandboxPaths) paths = vend_sandbox_paths_new ();
  *out = NULL;
  if (spec->isolation == VEND_ISOLATION_NONE)
    return true;
  const char *cwd = vend_workspace_cwd (director->workspace);
  const char *tmp = vend_workspace_tmp (director->workspace);
  if (spec->has_root)
    show_root (director, paths, env);
  else if (!show_all (director, paths, argv, env, error))
    return false;
  const VendSandboxFd fd = { launcher, VEND_PIN_CHECK };
  const VendSandboxOptions options = { .kind = spec->isolation,
                                       .network = spec->network,
                                       .uid = spec->model_user,
                                       .idmap = vend_workspace_idmap (director->workspace),
                                       .cwd = spec->has_root ? spec->root_cwd : cwd,
                                       .tmp = spec->has_root ? NULL : tmp,
                                       .has_root = spec->has_root,
                                       .inner_uid = spec->root_uid,
                                       .inner_gid = spec->root_gid,
                                       .argv = argv,
                                       .env = env,
                                       .paths = paths,
                                       .process_data = spec->process_data,
                                       .user_processes = spec->user_processes,
                                       .shared_memory = shared_memory (spec),
                                       .fds = &fd,
                                       .n_fds = launcher >= 0 ? 1 : 0,
                                       .is_launcher = launcher >= 0,
                                       .room = director->room };
  return vend_sandbox_new (&options, out, error);
}
