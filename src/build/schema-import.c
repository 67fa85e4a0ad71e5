/* A model's signature as importing it shows it. Blocking; the model's code runs in a child. */
#include "build/schema-import.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "json/json.h"
#include <string.h>

#define MAX_OUTPUT ((gsize) 8 * 1024 * 1024)
/* Large libraries take a minute from a cold disk. */
#define DEADLINE_S 300
#define POLL_MS 500

static void
set_env (char ***env, const char *name, const char *value)
{
  *env = g_environ_setenv (g_steal_pointer (env), name, value, TRUE);
}

/* Not that of the installers, which holds what indexes and proxies are told. No GPU either: what a
 * model offers must not depend on the machine that built it. */
static char **
import_env (const VendBuildContext *context, const VendCogYaml *yaml, const char *home)
{
  static const char *const kept[] = { "PATH", "LANG", "LC_ALL", "TZ" };
  g_auto (GStrv) env = g_new0 (char *, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      const char *value = g_environ_getenv (context->env, kept[i]);
      if (value != NULL)
        set_env (&env, kept[i], value);
    }
  set_env (&env, "HOME", home);
  set_env (&env, "TMPDIR", home);
  set_env (&env, "CUDA_VISIBLE_DEVICES", "");
  set_env (&env, "NO_COLOR", "1");
  for (gsize i = 0; yaml->environment[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (yaml->environment[i], "=", 2);
      if (pair[0] != NULL && pair[1] != NULL)
        set_env (&env, pair[0], pair[1]);
    }
  set_env (&env, "PYTHONHASHSEED", "0");
  set_env (&env, "PYTHONDONTWRITEBYTECODE", "1");
  set_env (&env, "PYTHONUNBUFFERED", "1");
  return g_steal_pointer (&env);
}

static bool
wait_for (VendChild *child, GError **error)
{
  const int64_t deadline_us = g_get_monotonic_time () + DEADLINE_S * VEND_US_PER_S;
  bool ended = false;
  while (!ended)
    {
      if (!vend_child_pump (child, POLL_MS, &ended, error))
        return false;
      if (!ended && g_get_monotonic_time () > deadline_us)
        return vend_fail (error, VEND_ERROR_RUNNER, "the import took longer than %d s", DEADLINE_S);
    }
  return true;
}

static bool
run (const VendBuildContext *context, const VendChildOptions *options, json_t **out, GError **error)
{
  g_autoptr (VendChild) child = NULL;
  g_autoptr (GError) problem = NULL;
  if (!context->start (context, options, &child, error) || !wait_for (child, error))
    return false;
  const char *text = vend_child_output (child);
  g_autofree char *failure = vend_child_dup_failure (child);
  if (!vend_json_parse (text, strlen (text), out, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "the importing process %s",
                      failure != NULL ? failure : "gave no answer");
  const char *failed = vend_json_string (*out, "failed");
  if (failed != NULL)
    return vend_fail (error, VEND_ERROR_RUNNER, "%s", failed);
  if (!json_is_string (json_object_get (*out, "head"))
      || !json_is_array (json_object_get (*out, "entries")))
    return vend_fail (error, VEND_ERROR_RUNNER, "the importing process gave no answer");
  return true;
}

bool
vend_schema_import (const VendBuildContext *context, const char *python, const char *program,
                    const VendCogYaml *yaml, char **out_path, GError **error)
{
  g_autofree char *home = g_build_filename (context->work_dir, "import", NULL);
  g_autofree char *path = g_build_filename (context->work_dir, "imported.json", NULL);
  g_auto (GStrv) base = import_env (context, yaml, home);
  g_autofree char *bin = g_path_get_dirname (python);
  g_autofree char *paths = g_strconcat (bin, ":", g_environ_getenv (context->env, "PATH"), NULL);
  set_env (&base, "PATH", paths);
  const char *argv[10] = { python, "-s", program, "--import", context->source_dir };
  gsize n = 5;
  if (yaml->predict != NULL)
    {
      argv[n++] = "--predict";
      argv[n++] = yaml->predict;
    }
  if (yaml->train != NULL)
    {
      argv[n++] = "--train";
      argv[n++] = yaml->train;
    }
  const VendChildOptions options = { .argv = argv,
                                     .env = (const char *const *) base,
                                     .cwd = context->source_dir,
                                     .on_line = context->log,
                                     .data = context->log_data,
                                     .max_output = MAX_OUTPUT };
  json_auto_t *answer = NULL;
  if (!vend_dir_ensure (home, error) || !run (context, &options, &answer, error))
    return false;
  g_autofree char *text = vend_json_text (answer);
  if (!vend_file_replace (path, text, strlen (text), 0600, error))
    return false;
  *out_path = g_steal_pointer (&path);
  return true;
}
