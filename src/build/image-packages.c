/* The Python packages of an image, by the pip of its base. */
#include "base/error.h"
#include "base/fd.h"
#include "build/image-build-private.h"
#include "build/package-hosts.h"
#include "build/pip-line.h"
#include "build/requirements.h"
#include "build/resolve.h"
#include <string.h>

#define TORCH_INDEX "https://download.pytorch.org/whl/"
#define REQUIREMENTS "requirements.txt"
#define CONSTRAINTS "constraints.txt"
#define CHECKED "checked.txt"

static bool
write_list (const VendBuildContext *context, const char *name, const GString *text, GError **error)
{
  g_autofree char *path = g_build_filename (context->work_dir, name, NULL);
  return vend_file_replace (path, text->str, text->len, 0644, error);
}

/* Those that may be certain files only: pip wants hashes of all in a list, or of none. */
static GString *
checked_lines (const VendRequirements *requirements)
{
  GString *text = g_string_new (NULL);
  g_auto (GStrv) lines = g_strsplit (requirements->lines->str, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *name = vend_pip_package_name (lines[i]);
      const char *hashes = name != NULL ? g_hash_table_lookup (requirements->hashes, name) : NULL;
      if (hashes != NULL)
        g_string_append_printf (text, "%s%s\n", lines[i], hashes);
    }
  if (text->len > 0)
    g_string_prepend (text, requirements->options->str);
  return text;
}

static GString *
all_lines (const VendBuildContext *context, const VendRequirements *requirements)
{
  const char *torch = vend_resolve_torch_index (requirements);
  GString *text = g_string_new (requirements->options->str);
  if (torch != NULL)
    g_string_append_printf (text, "--extra-index-url " TORCH_INDEX "%s\n", torch);
  g_string_append_printf (text, "%scog==%s\ncoglet==%s\n", requirements->lines->str,
                          context->spec->cog_version, context->spec->coglet_version);
  g_string_replace (text, context->source_dir, VEND_IMAGE_SOURCE, 0);
  return text;
}

static bool
pip (VendImageBuild *build, const char *const *words, GError **error)
{
  static const char *const extra[] = { "PIP_BREAK_SYSTEM_PACKAGES=1",
                                       "PIP_NO_CACHE_DIR=1",
                                       "PIP_DISABLE_PIP_VERSION_CHECK=1",
                                       "PIP_NO_INPUT=1",
                                       "PIP_ROOT_USER_ACTION=ignore",
                                       "PIP_PROGRESS_BAR=off",
                                       NULL };
  static const char *const kept[]
      = { "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT" };
  g_auto (GStrv) env = g_strdupv ((char **) extra);
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      const char *value = g_environ_getenv (build->context->env, kept[i]);
      if (value != NULL)
        env = g_environ_setenv (g_steal_pointer (&env), kept[i], value, TRUE);
    }
  return vend_image_run (build, words, (const char *const *) env, "pip install", NULL, error);
}

static bool
install_checked (VendImageBuild *build, const VendRequirements *requirements, GError **error)
{
  const char *const words[] = { "python3",   "-m",
                                "pip",       "install",
                                "--no-deps", "--require-hashes",
                                "-r",        VEND_IMAGE_WORK "/" CHECKED,
                                NULL };
  g_autoptr (GString) text = checked_lines (requirements);
  return text->len == 0
         || (write_list (build->context, CHECKED, text, error) && pip (build, words, error));
}

static bool
install_all (VendImageBuild *build, const VendRequirements *requirements, GError **error)
{
  const char *const words[] = { "python3", "-m",
                                "pip",     "install",
                                "-r",      VEND_IMAGE_WORK "/" REQUIREMENTS,
                                "-c",      VEND_IMAGE_WORK "/" CONSTRAINTS,
                                NULL };
  g_autoptr (GString) text = all_lines (build->context, requirements);
  return write_list (build->context, REQUIREMENTS, text, error)
         && write_list (build->context, CONSTRAINTS, requirements->constraints, error)
         && pip (build, words, error);
}

/* The version is told, as a build without an image tells it. The model server starts its worker as
 * "python", which Debian's own Python is not called. */
static bool
look_at_python (VendImageBuild *build, GError **error)
{
  static const char script[] = "import os, shutil, sys\n"
                               "if shutil.which('python') is None:\n"
                               "    os.makedirs('/usr/local/bin', exist_ok=True)\n"
                               "    os.symlink(sys.executable, '/usr/local/bin/python')\n"
                               "print('%d.%d.%d' % sys.version_info[:3])\n";
  const char *const argv[] = { "python3", "-c", script, NULL };
  const char *asked = build->yaml->python_version;
  g_autofree char *version = NULL;
  if (!vend_image_run (build, argv, NULL, "the base image's python3", &version, error))
    return false;
  g_strchomp (version);
  const gsize length = asked != NULL ? strlen (asked) : 0;
  const bool fits = strncmp (version, asked != NULL ? asked : "", length) == 0
                    && (length == 0 || version[length] == '\0' || version[length] == '.');
  vend_build_say (build->context,
                  fits ? "Python %s" : "warning: Python %s of the base image is used, not %s",
                  version, asked);
  return true;
}

bool
vend_image_build_packages (VendImageBuild *build, GError **error)
{
  const VendBuildContext *context = build->context;
  const char *const freeze[] = { "python3", "-m", "pip", "freeze", NULL };
  g_autoptr (VendRequirements) requirements = NULL;
  return vend_requirements_read (context->source_dir, build->yaml->python_requirements,
                                 build->yaml->python_packages, &requirements, error)
         && vend_resolve_check_hosts (context, requirements, error) && look_at_python (build, error)
         && install_checked (build, requirements, error) && install_all (build, requirements, error)
         && vend_image_run (build, freeze, NULL, "pip freeze", &build->freeze, error);
}
