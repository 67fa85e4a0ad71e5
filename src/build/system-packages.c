/* Debian packages that a model needs: looked for, never installed. Blocking. */
#include "build/system-packages.h"
#include "base/error.h"
#include <string.h>

bool
vend_system_package_is_name (const char *text)
{
  if (!g_ascii_isalnum (*text) || strlen (text) > 200)
    return false;
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("+-.:~=_", *p) == NULL)
      return false;
  return true;
}

static bool
is_installed (const VendBuildContext *context, const char *package)
{
  /* "name=version" asks apt for a version; that the package is there is enough. */
  g_autofree char *name = g_strndup (package, strcspn (package, "="));
  const char *const argv[] = { "dpkg-query", "-W", "-f", "${Status}\\n", "--", name, NULL };
  g_autofree char *status = NULL;
  g_autoptr (GError) ignored = NULL;
  return vend_build_ask (context, argv, &status, &ignored)
         && strstr (status, "ok installed") != NULL;
}

bool
vend_system_packages_check (const VendBuildContext *context, char **packages, GError **error)
{
  if (packages[0] == NULL)
    return true;
  for (gsize i = 0; packages[i] != NULL; i++)
    if (!vend_system_package_is_name (packages[i]))
      return vend_fail (error, VEND_ERROR_INVALID,
                        "cog.yaml: build.system_packages: '%s' is not a package name", packages[i]);

  const char *const probe[] = { "dpkg-query", "--version", NULL };
  g_autofree char *version = NULL;
  g_autoptr (GError) ignored = NULL;
  if (!vend_build_ask (context, probe, &version, &ignored))
    {
      g_autofree char *names = g_strjoinv (", ", packages);
      vend_build_say (context, "warning: this machine has no dpkg; not checked: %s", names);
      return true;
    }
  g_autoptr (GString) missing = g_string_new (NULL);
  for (gsize i = 0; packages[i] != NULL; i++)
    if (!is_installed (context, packages[i]))
      g_string_append_printf (missing, " %s", packages[i]);
  if (missing->len == 0)
    return true;
  return vend_fail (
      error, VEND_ERROR_UNAVAILABLE,
      "this machine lacks system packages that the model needs; build the model as an "
      "image, 'vend push --image', or install them with: sudo apt-get install -y%s",
      missing->str);
}
