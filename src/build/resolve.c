/* Requirements → the exact packages that will be installed, by uv or else by pip. Blocking. */
#include "build/resolve.h"
#include "base/error.h"
#include "base/fd.h"
#include "build/package-hosts.h"
#include "build/pip-line.h"
#include <string.h>

static bool
write_inputs (const VendBuildContext *context, const VendRequirements *requirements,
              const char *input, const char *constraints, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%s%scog==%s\ncoglet==%s\n", requirements->options->str,
                                           requirements->lines->str, context->spec->cog_version,
                                           context->spec->coglet_version);
  return vend_file_replace (input, text, strlen (text), 0600, error)
         && vend_file_replace (constraints, requirements->constraints->str,
                               requirements->constraints->len, 0600, error);
}

const char *
vend_resolve_torch_index (const VendRequirements *requirements)
{
  static const char *const others[]
      = { "--index-url ", "--extra-index-url ", "--find-links ", "--no-index\n" };
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    if (strstr (requirements->options->str, others[i]) != NULL)
      return NULL;
  return requirements->torch_build;
}

static bool
resolve_with_uv (const VendBuildContext *context, const VendInterpreter *interpreter,
                 const VendRequirements *requirements, const char *input, const char *constraints,
                 char **out, GError **error)
{
  const bool has_constraints = requirements->constraints->len > 0;
  const bool pre = strstr (requirements->options->str, "--pre\n") != NULL;
  /* Requirement files are written for pip, which takes the best version of all indexes. */
  const char *argv[20] = { context->uv,         "pip",         "compile",       "--python",
                           interpreter->path,   "--no-header", "--no-annotate", "--index-strategy",
                           "unsafe-best-match", input };
  gsize n = 10;
  if (has_constraints)
    {
      argv[n++] = "--constraint";
      argv[n++] = constraints;
    }
  if (vend_resolve_torch_index (requirements) != NULL)
    {
      argv[n++] = "--torch-backend";
      argv[n++] = vend_resolve_torch_index (requirements);
    }
  argv[n++] = pre ? "--prerelease=allow" : "--prerelease=if-necessary";
  const VendChildOptions options = { .argv = argv,
                                     .env = (const char *const *) context->env,
                                     .cwd = context->work_dir,
                                     .on_line = context->log,
                                     .data = context->log_data,
                                     .max_output = VEND_RESOLVED_MAX_SIZE };
  return vend_child_run (&options, "uv pip compile", out, error);
}

static int
compare_lines (const void *a, const void *b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* What pip reports as its plan → "name==version" or "name @ address" lines. */
static bool
read_report (const char *path, char **out, GError **error)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  json_auto_t *report = NULL;
  if (!vend_file_read (path, 16 * VEND_RESOLVED_MAX_SIZE, &text, &size, error)
      || !vend_json_parse (text, size, &report, error))
    return false;
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  const json_t *plan = json_object_get (report, "install");
  for (size_t i = 0; i < json_array_size (plan); i++)
    {
      const json_t *item = json_array_get (plan, i);
      const json_t *metadata = json_object_get (item, "metadata");
      const char *name = vend_json_string (metadata, "name");
      const char *version = vend_json_string (metadata, "version");
      const char *url = vend_json_string (json_object_get (item, "download_info"), "url");
      if (name == NULL || version == NULL || url == NULL)
        return vend_fail (error, VEND_ERROR_RUNNER, "pip: its report lacks a name or version");
      g_ptr_array_add (lines, vend_json_bool (item, "is_direct", false)
                                  ? g_strdup_printf ("%s @ %s", name, url)
                                  : g_strdup_printf ("%s==%s", name, version));
    }
  g_ptr_array_sort (lines, compare_lines);
  g_autoptr (GString) joined = g_string_new (NULL);
  for (guint i = 0; i < lines->len; i++)
    g_string_append_printf (joined, "%s\n", (const char *) g_ptr_array_index (lines, i));
  *out = g_string_free (g_steal_pointer (&joined), FALSE);
  return true;
}

static bool
resolve_with_pip (const VendBuildContext *context, const VendInterpreter *interpreter,
                  const char *input, const char *constraints, char **out, GError **error)
{
  g_autofree char *venv = g_build_filename (context->work_dir, "resolve", NULL);
  g_autofree char *python = g_build_filename (venv, "bin", "python", NULL);
  g_autofree char *report = g_build_filename (context->work_dir, "report.json", NULL);
  const char *const make[] = { interpreter->path, "-m", "venv", venv, NULL };
  const char *const plan[]
      = { python,     "-m",   "pip", "install", "--dry-run", "--ignore-installed", "--quiet",
          "--report", report, "-r",  input,     "-c",        constraints,          NULL };
  return vend_build_child (context, make, "python -m venv", error)
         && vend_build_child (context, plan, "pip install --dry-run", error)
         && read_report (report, out, error);
}

/* The resolver only chooses; what the hashes are for is checked when the chosen are installed. */
static char *
add_hashes (const VendRequirements *requirements, const char *resolved)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (GStrv) lines = g_strsplit (resolved, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *name = vend_pip_package_name (lines[i]);
      const char *hashes = g_hash_table_lookup (requirements->hashes, name);
      if (*lines[i] != '\0')
        g_string_append_printf (text, "%s%s\n", lines[i], hashes != NULL ? hashes : "");
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

bool
vend_resolve_check_hosts (const VendBuildContext *context, const VendRequirements *requirements,
                          GError **error)
{
  g_autoptr (VendNetworks) allow = NULL;
  return context->spec->any_package_host
         || (vend_networks_parse (context->spec->package_allow, "package-allow", &allow, error)
             && vend_package_hosts_check (requirements->addresses, allow, error));
}

static bool
check (const VendBuildContext *context, const VendRequirements *requirements, GError **error)
{
  if (!vend_resolve_check_hosts (context, requirements, error))
    return false;
  if (context->uv != NULL)
    return true;
  if (g_hash_table_size (requirements->hashes) > 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "requirements with --hash need uv, which is not on this server; leave the "
                      "hashes out or install uv");
  if (vend_resolve_torch_index (requirements) != NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "a build of PyTorch for '%s' is in an index of its own; name the index with "
                      "--extra-index-url, or install uv on the server, which knows the index",
                      requirements->torch_build);
  return true;
}

static bool
resolve (const VendBuildContext *context, const VendInterpreter *interpreter,
         const VendRequirements *requirements, char **out, GError **error)
{
  g_autofree char *input = g_build_filename (context->work_dir, "requirements.in", NULL);
  g_autofree char *constraints = g_build_filename (context->work_dir, "constraints.txt", NULL);
  if (!write_inputs (context, requirements, input, constraints, error))
    return false;
  if (context->uv != NULL)
    return resolve_with_uv (context, interpreter, requirements, input, constraints, out, error);
  vend_build_say (context, "note: uv is not installed; pip is used, which takes longer");
  return resolve_with_pip (context, interpreter, input, constraints, out, error);
}

bool
vend_resolve (const VendBuildContext *context, const VendInterpreter *interpreter,
              const VendRequirements *requirements, char **out, GError **error)
{
  g_autofree char *resolved = NULL;
  for (guint i = 0; i < requirements->dropped->len; i++)
    vend_build_say (context, "note: '%s' is left out: models run with cog %s and coglet %s",
                    (const char *) g_ptr_array_index (requirements->dropped, i),
                    context->spec->cog_version, context->spec->coglet_version);
  if (!check (context, requirements, error)
      || !resolve (context, interpreter, requirements, &resolved, error))
    return false;
  *out = add_hashes (requirements, resolved);
  return true;
}
