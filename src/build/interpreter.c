/* Finds the Python that a model asks for. Blocking: asks each candidate what it is. */
#include "build/interpreter.h"
#include "base/error.h"
#include <stdio.h>
#include <string.h>

#define LEAST_MINOR 10
#define NEWEST_MINOR 14
#define DEFAULT_MINOR "3.12"

static const char PROBE[]
    = "import json,sys,sysconfig,platform\n"
      "e=getattr(sys,'_base_executable',None) or sys.executable\n"
      "print(json.dumps({'path':e,'version':platform.python_version(),"
      "'platform':sysconfig.get_platform()+' '+str(sysconfig.get_config_var('SOABI'))+' '"
      "+' '.join(platform.libc_ver())}))\n";

/* Everything that was found, for the choice and for the error text. */
typedef struct
{
  const VendBuildContext *context;
  GPtrArray *found; /* of VendInterpreter */
} Search;

void
vend_interpreter_free (VendInterpreter *interpreter)
{
  if (interpreter == NULL)
    return;
  g_free (interpreter->path);
  g_free (interpreter->version);
  g_free (interpreter->platform);
  g_free (interpreter);
}

/* A candidate that cannot say what it is, is none. */
static void
probe (Search *search, const char *command)
{
  const char *const argv[] = { command, "-I", "-c", PROBE, NULL };
  g_autofree char *text = NULL;
  json_auto_t *answer = NULL;
  g_autoptr (GError) ignored = NULL;
  if (!vend_build_ask (search->context, argv, &text, &ignored)
      || !vend_json_parse (text, strlen (text), &answer, &ignored))
    return;
  const char *path = vend_json_string (answer, "path");
  const char *version = vend_json_string (answer, "version");
  const char *platform = vend_json_string (answer, "platform");
  if (path == NULL || !g_path_is_absolute (path) || version == NULL || platform == NULL)
    return;
  for (guint i = 0; i < search->found->len; i++)
    if (strcmp (((VendInterpreter *) g_ptr_array_index (search->found, i))->path, path) == 0)
      return;
  VendInterpreter *interpreter = g_new0 (VendInterpreter, 1);
  interpreter->path = g_strdup (path);
  interpreter->version = g_strdup (version);
  interpreter->platform = g_strdup (platform);
  g_ptr_array_add (search->found, interpreter);
}

/* "3.11" covers "3.11.7" but not "3.110". */
static bool
covers (const char *asked, const char *version)
{
  const gsize length = strlen (asked);
  return strncmp (asked, version, length) == 0
         && (version[length] == '\0' || version[length] == '.');
}

static int
patch_level (const VendInterpreter *interpreter)
{
  int patch = -1;
  return sscanf (interpreter->version, "%*d.%*d.%d", &patch) == 1 ? patch : -1;
}

/* The newest patch level, the one found first of equals: the same choice in every build. */
static VendInterpreter *
pick (Search *search, const char *asked)
{
  guint best = search->found->len;
  int best_patch = -2;
  for (guint i = 0; i < search->found->len; i++)
    {
      const VendInterpreter *found = g_ptr_array_index (search->found, i);
      if (covers (asked, found->version) && patch_level (found) > best_patch)
        {
          best = i;
          best_patch = patch_level (found);
        }
    }
  return best < search->found->len ? g_ptr_array_steal_index (search->found, best) : NULL;
}

static void
probe_pyenv (Search *search, const char *minor)
{
  const char *root = g_environ_getenv (search->context->env, "PYENV_ROOT");
  const char *home = g_environ_getenv (search->context->env, "HOME");
  g_autofree char *dir
      = root != NULL ? g_build_filename (root, "versions", NULL)
                     : g_build_filename (home != NULL ? home : "/", ".pyenv", "versions", NULL);
  g_autoptr (GDir) listing = g_dir_open (dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *command = g_build_filename (dir, name, "bin", "python3", NULL);
      if (covers (minor, name) && g_file_test (command, G_FILE_TEST_IS_EXECUTABLE))
        probe (search, command);
    }
}

static void
probe_uv (Search *search, const char *minor)
{
  if (search->context->uv == NULL)
    return;
  const char *const argv[] = { search->context->uv,     "python", "find", "--no-project",
                               "--no-python-downloads", minor,    NULL };
  g_autofree char *path = NULL;
  g_autoptr (GError) ignored = NULL;
  if (vend_build_ask (search->context, argv, &path, &ignored))
    probe (search, g_strstrip (path));
}

static void
probe_minor (Search *search, const char *minor)
{
  g_autofree char *command = g_strconcat ("python", minor, NULL);
  probe (search, command);
  probe_pyenv (search, minor);
  probe_uv (search, minor);
}

static char *
minor_of (const char *version)
{
  const char *dot = strchr (version, '.');
  const char *second = dot != NULL ? strchr (dot + 1, '.') : NULL;
  return second != NULL ? g_strndup (version, (gsize) (second - version)) : g_strdup (version);
}

static bool
install (Search *search, const char *version)
{
  const VendBuildContext *context = search->context;
  if (context->uv == NULL)
    return false;
  vend_build_say (context, "Python %s is not installed; installing it with uv", version);
  const char *const argv[] = { context->uv, "python", "install", "--no-bin", version, NULL };
  g_autoptr (GError) problem = NULL;
  if (!vend_build_child (context, argv, "uv python install", &problem))
    {
      vend_build_say (context, "%s", problem->message);
      return false;
    }
  probe_uv (search, version);
  return true;
}

static bool
is_modern (const VendInterpreter *interpreter)
{
  int minor = -1;
  return sscanf (interpreter->version, "3.%d", &minor) == 1 && minor >= LEAST_MINOR;
}

static bool
fail_listing (Search *search, const char *asked, GError **error)
{
  for (int minor = LEAST_MINOR; minor <= NEWEST_MINOR; minor++)
    {
      g_autofree char *text = g_strdup_printf ("3.%d", minor);
      probe_minor (search, text);
    }
  g_autoptr (GString) list = g_string_new (NULL);
  g_autoptr (GHashTable) listed = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < search->found->len; i++)
    {
      const VendInterpreter *found = g_ptr_array_index (search->found, i);
      if (g_hash_table_add (listed, found->version))
        g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "", found->version);
    }
  return vend_fail (
      error, VEND_ERROR_UNAVAILABLE,
      "Python %s is not on this machine and could not be installed%s; installed versions: %s",
      asked, search->context->uv == NULL ? " (uv is missing)" : "",
      list->len > 0 ? list->str : "none");
}

static bool
find_any (Search *search, VendInterpreter **out, GError **error)
{
  probe (search, "python3");
  if (search->found->len > 0 && is_modern (g_ptr_array_index (search->found, 0)))
    {
      *out = g_ptr_array_steal_index (search->found, 0);
      return true;
    }
  probe_minor (search, DEFAULT_MINOR);
  *out = pick (search, DEFAULT_MINOR);
  if (*out == NULL && install (search, DEFAULT_MINOR))
    *out = pick (search, DEFAULT_MINOR);
  return *out != NULL || fail_listing (search, "3.10 or later", error);
}

static bool
find (Search *search, const char *asked, VendInterpreter **out, GError **error)
{
  g_autofree char *minor = minor_of (asked);
  probe (search, "python3");
  probe_minor (search, minor);
  g_autoptr (VendInterpreter) found = pick (search, asked);
  if (found == NULL)
    found = pick (search, minor);
  if (found == NULL && install (search, asked))
    found = pick (search, minor);
  if (found == NULL)
    return fail_listing (search, asked, error);
  if (!covers (asked, found->version))
    vend_build_say (search->context, "warning: Python %s is requested; %s is used", asked,
                    found->version);
  *out = g_steal_pointer (&found);
  return true;
}

bool
vend_interpreter_find (const VendBuildContext *context, const char *version, VendInterpreter **out,
                       GError **error)
{
  g_autoptr (GPtrArray) found
      = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_interpreter_free);
  Search search = { context, found };
  VendInterpreter *interpreter = NULL;
  const bool good = version == NULL ? find_any (&search, &interpreter, error)
                                    : find (&search, version, &interpreter, error);
  if (!good)
    return false;
  vend_build_say (context, "Python %s at %s", interpreter->version, interpreter->path);
  *out = interpreter;
  return true;
}
