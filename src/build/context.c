/* What the steps of one build share: the log, the environment and the ways to run a child. */
#include "build/build-private.h"
#include "base/error.h"
#include <string.h>

#define MAX_ANSWER ((gsize) 1024 * 1024)

static bool
is_kept (const char *name)
{
  static const char *const names[] = { "PATH",
                                       "HOME",
                                       "USER",
                                       "LANG",
                                       "LC_ALL",
                                       "LC_CTYPE",
                                       "TMPDIR",
                                       "TZ",
                                       "SSL_CERT_FILE",
                                       "SSL_CERT_DIR",
                                       "REQUESTS_CA_BUNDLE",
                                       "CURL_CA_BUNDLE",
                                       "PYENV_ROOT",
                                       "NETRC" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (name, names[i]) == 0)
      return true;
  g_autofree char *lower = g_ascii_strdown (name, -1);
  return g_str_has_prefix (name, "PIP_") || g_str_has_prefix (name, "UV_")
         || g_str_has_suffix (lower, "_proxy");
}

static void
set_default (char ***env, const char *name, const char *value)
{
  *env = g_environ_setenv (g_steal_pointer (env), name, value, FALSE);
}

static char **
children_env (const VendBuildSpec *spec)
{
  g_auto (GStrv) ours = g_get_environ ();
  g_auto (GStrv) env = g_new0 (char *, 1);
  for (gsize i = 0; ours[i] != NULL; i++)
    {
      const char *equals = strchr (ours[i], '=');
      g_autofree char *name
          = equals != NULL ? g_strndup (ours[i], (gsize) (equals - ours[i])) : NULL;
      if (name != NULL && is_kept (name))
        env = g_environ_setenv (g_steal_pointer (&env), name, equals + 1, TRUE);
    }
  g_autofree char *uv_cache = g_build_filename (spec->cache_dir, "uv", NULL);
  g_autofree char *pip_cache = g_build_filename (spec->cache_dir, "pip", NULL);
  env = g_environ_setenv (g_steal_pointer (&env), "UV_CACHE_DIR", uv_cache, TRUE);
  env = g_environ_setenv (g_steal_pointer (&env), "PIP_CACHE_DIR", pip_cache, TRUE);
  env = g_environ_setenv (g_steal_pointer (&env), "UV_NO_PROGRESS", "1", TRUE);
  env = g_environ_setenv (g_steal_pointer (&env), "NO_COLOR", "1", TRUE);
  env = g_environ_setenv (g_steal_pointer (&env), "PYTHONUNBUFFERED", "1", TRUE);
  env = g_environ_setenv (g_steal_pointer (&env), "PIP_DISABLE_PIP_VERSION_CHECK", "1", TRUE);
  set_default (&env, "LANG", "C.UTF-8");
  set_default (&env, "PATH", "/usr/local/bin:/usr/bin:/bin");
  return g_steal_pointer (&env);
}

void
vend_build_say (const VendBuildContext *context, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *line = g_strdup_vprintf (format, args);
  va_end (args);
  context->log (line, context->log_data);
}

bool
vend_build_child (const VendBuildContext *context, const char *const *argv, const char *what,
                  GError **error)
{
  const VendChildOptions options = { .argv = argv,
                                     .env = (const char *const *) context->env,
                                     .cwd = context->work_dir,
                                     .on_line = context->log,
                                     .data = context->log_data };
  return vend_child_run (&options, what, NULL, error);
}

bool
vend_build_ask (const VendBuildContext *context, const char *const *argv, char **out_output,
                GError **error)
{
  const VendChildOptions options = { .argv = argv,
                                     .env = (const char *const *) context->env,
                                     .cwd = context->work_dir,
                                     .max_output = MAX_ANSWER };
  return vend_child_run (&options, argv[0], out_output, error);
}

char **
vend_build_venv_env (const VendBuildContext *context, const char *venv)
{
  g_auto (GStrv) env = g_strdupv (context->env);
  g_autofree char *path
      = g_strconcat (venv, "/bin:", g_environ_getenv (context->env, "PATH"), NULL);
  env = g_environ_setenv (g_steal_pointer (&env), "PATH", path, TRUE);
  env = g_environ_setenv (g_steal_pointer (&env), "VIRTUAL_ENV", venv, TRUE);
  return g_steal_pointer (&env);
}

static bool
start_here (const VendBuildContext *context, const VendChildOptions *options, VendChild **out,
            GError **error)
{
  return vend_child_start (options, out, error);
}

void
vend_build_context_init (VendBuildContext *context, const VendBuildSpec *spec, VendBuildLog log,
                         void *log_data)
{
  *context = (VendBuildContext){ 0 };
  context->spec = spec;
  context->log = log;
  context->log_data = log_data;
  context->start = start_here;
  context->source_dir = g_build_filename (spec->staging_dir, "src", NULL);
  context->work_dir = g_build_filename (spec->staging_dir, "work", NULL);
  context->env = children_env (spec);
}

void
vend_build_context_find_uv (VendBuildContext *context)
{
  /* A name on PATH is not enough: version managers leave launchers that only fail. */
  const char *const argv[] = { "uv", "--version", NULL };
  g_autofree char *version = NULL;
  g_autoptr (GError) ignored = NULL;
  if (vend_build_ask (context, argv, &version, &ignored))
    context->uv = g_strdup ("uv");
}

void
vend_build_context_clear (VendBuildContext *context)
{
  g_clear_pointer (&context->source_dir, g_free);
  g_clear_pointer (&context->work_dir, g_free);
  g_clear_pointer (&context->env, g_strfreev);
  g_clear_pointer (&context->uv, g_free);
}
