/* Virtual environments shared by all versions with the same packages. Blocking. An environment is
 * made in its place, since its scripts hold its path; the marker written last says that it counts.
 */
#include "build/venv.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define MARKER ".complete"

void
vend_venv_free (VendVenv *venv)
{
  if (venv == NULL)
    return;
  g_free (venv->key);
  g_free (venv->dir);
  g_free (venv->python);
  g_free (venv->freeze);
  g_free (venv);
}

char *
vend_venv_neutral_text (const VendBuildContext *context, const char *text)
{
  g_autoptr (GString) neutral = g_string_new (text);
  g_string_replace (neutral, context->source_dir, "/src", 0);
  return g_string_free (g_steal_pointer (&neutral), FALSE);
}

static char *
venv_key (const VendBuildContext *context, const VendInterpreter *interpreter,
          const VendVenvRequest *request)
{
  g_autofree char *packages = vend_venv_neutral_text (context, request->resolved);
  g_autofree char *options = vend_venv_neutral_text (context, request->options);
  g_autofree char *text = g_strdup_printf ("python %s\nplatform %s\noptions\n%spackages\n%s%s",
                                           interpreter->version, interpreter->platform, options,
                                           packages, request->salt != NULL ? request->salt : "");
  return vend_sha256_text (text);
}

/* The children that write into the environment hold the lock too: when the builder is killed, the
 * next one waits for the last of them. */
static bool
lock (const VendBuildContext *context, const char *key, int *out_fd, GError **error)
{
  g_autofree char *name = g_strconcat (key, ".lock", NULL);
  g_autofree char *path = g_build_filename (context->spec->venvs_dir, name, NULL);
  vend_autofd fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  int status = flock (fd, LOCK_EX | LOCK_NB);
  if (status != 0 && errno == EWOULDBLOCK)
    vend_build_say (context, "waiting for another build that installs the same packages");
  while (status != 0 && (errno == EWOULDBLOCK || errno == EINTR))
    status = flock (fd, LOCK_EX);
  if (status != 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "lock '%s'", path);
  /* The sweep sees that it was used. */
  if (futimens (fd, NULL) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "touch '%s'", path);
  *out_fd = vend_fd_steal (&fd);
  return true;
}

static bool
run_locked (const VendBuildContext *context, int lock_fd, const char *const *argv, const char *what,
            char **out_output, GError **error)
{
  const VendChildOptions options = { .argv = argv,
                                     .env = (const char *const *) context->env,
                                     .cwd = context->work_dir,
                                     .on_line = context->log,
                                     .data = context->log_data,
                                     .keep_fds = &lock_fd,
                                     .n_keep_fds = 1,
                                     .max_output = out_output != NULL ? 1024 * 1024 : 0 };
  return vend_child_run (&options, what, out_output, error);
}

static bool
make_with_uv (const VendBuildContext *context, const VendInterpreter *interpreter,
              const VendVenv *venv, const VendVenvRequest *request, const char *packages,
              int lock_fd, char **out_freeze, GError **error)
{
  const char *const make[] = { context->uv,
                               "venv",
                               "--no-project",
                               "--python",
                               interpreter->path,
                               venv->dir,
                               request->with_pip ? "--seed" : NULL,
                               NULL };
  const char *const install[] = { context->uv,
                                  "pip",
                                  "install",
                                  "--python",
                                  venv->python,
                                  "--no-deps",
                                  "--compile-bytecode",
                                  "--index-strategy",
                                  "unsafe-best-match",
                                  "-r",
                                  packages,
                                  request->torch_index != NULL ? "--torch-backend" : NULL,
                                  request->torch_index,
                                  NULL };
  const char *const install_wheels[] = { context->uv,
                                         "pip",
                                         "install",
                                         "--python",
                                         venv->python,
                                         "--no-deps",
                                         "--compile-bytecode",
                                         "--offline",
                                         "--no-index",
                                         "--find-links",
                                         request->wheels,
                                         "-r",
                                         packages,
                                         NULL };
  const char *const freeze[] = { context->uv, "pip", "freeze", "--python", venv->python, NULL };
  return run_locked (context, lock_fd, make, "uv venv", NULL, error)
         && run_locked (context, lock_fd, request->wheels != NULL ? install_wheels : install,
                        "uv pip install", NULL, error)
         && run_locked (context, lock_fd, freeze, "uv pip freeze", out_freeze, error);
}

static bool
make_with_pip (const VendBuildContext *context, const VendInterpreter *interpreter,
               const VendVenv *venv, const VendVenvRequest *request, const char *packages,
               int lock_fd, char **out_freeze, GError **error)
{
  const char *const make[] = { interpreter->path, "-m", "venv", venv->dir, NULL };
  const char *const install[] = { venv->python,     "-m",  "pip", "install", "--no-deps",
                                  "--progress-bar", "off", "-r",  packages,  NULL };
  const char *const install_wheels[]
      = { venv->python, "-m", "pip",    "install",    "--no-deps",    "--progress-bar",
          "off",        "-r", packages, "--no-index", "--find-links", request->wheels,
          NULL };
  const char *const freeze[] = { venv->python, "-m", "pip", "freeze", NULL };
  return run_locked (context, lock_fd, make, "python -m venv", NULL, error)
         && run_locked (context, lock_fd, request->wheels != NULL ? install_wheels : install,
                        "pip install", NULL, error)
         && run_locked (context, lock_fd, freeze, "pip freeze", out_freeze, error);
}

/* All that was written must be on disk before the marker that vouches for it. */
static bool
mark_complete (const VendBuildContext *context, const VendVenv *venv, GError **error)
{
  g_autofree char *marker = g_build_filename (venv->dir, MARKER, NULL);
  vend_autofd fd = open (venv->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || syncfs (fd) != 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync '%s'", venv->dir);
  return vend_file_replace (marker, venv->freeze, strlen (venv->freeze), 0600, error)
         && vend_dir_sync (venv->dir, error) && vend_dir_sync (context->spec->venvs_dir, error);
}

static bool
make (const VendBuildContext *context, const VendInterpreter *interpreter,
      const VendVenvRequest *request, VendVenv *venv, int lock_fd, GError **error)
{
  g_autofree char *packages = g_build_filename (context->work_dir, "resolved.txt", NULL);
  g_autofree char *text = g_strconcat (request->options, request->resolved, NULL);
  g_autofree char *freeze = NULL;
  if (!vend_file_replace (packages, text, strlen (text), 0600, error)
      || !vend_tree_remove (venv->dir, error))
    return false;
  const bool made = context->uv != NULL ? make_with_uv (context, interpreter, venv, request,
                                                        packages, lock_fd, &freeze, error)
                                        : make_with_pip (context, interpreter, venv, request,
                                                         packages, lock_fd, &freeze, error);
  if (made)
    {
      venv->freeze = vend_venv_neutral_text (context, freeze);
      if (mark_complete (context, venv, error))
        return true;
    }
  g_autoptr (GError) ignored = NULL;
  if (!vend_tree_remove (venv->dir, &ignored))
    vend_build_say (context, "warning: %s", ignored->message);
  return false;
}

/* One whose interpreter was removed from the machine does not count either. */
static bool
is_complete (const VendVenv *venv, char **out_freeze)
{
  g_autofree char *marker = g_build_filename (venv->dir, MARKER, NULL);
  gsize size = 0;
  g_autoptr (GError) ignored = NULL;
  return g_file_test (venv->python, G_FILE_TEST_IS_EXECUTABLE)
         && vend_file_read (marker, 4 * 1024 * 1024, out_freeze, &size, &ignored);
}

bool
vend_venv_ensure (const VendBuildContext *context, const VendInterpreter *interpreter,
                  const VendVenvRequest *request, VendVenv **out, GError **error)
{
  g_autoptr (VendVenv) venv = g_new0 (VendVenv, 1);
  venv->key = venv_key (context, interpreter, request);
  venv->dir = g_build_filename (context->spec->venvs_dir, venv->key, NULL);
  venv->python = g_build_filename (venv->dir, "bin", "python", NULL);
  vend_autofd lock_fd = -1;
  if (!vend_dir_ensure (context->spec->venvs_dir, error)
      || !lock (context, venv->key, &lock_fd, error))
    return false;
  bool good = is_complete (venv, &venv->freeze);
  if (good)
    vend_build_say (context, "using the existing environment %.12s", venv->key);
  else
    good = make (context, interpreter, request, venv, lock_fd, error);
  flock (lock_fd, LOCK_UN);
  if (good)
    *out = g_steal_pointer (&venv);
  return good;
}
