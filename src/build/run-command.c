/* One command of build.run, which Cog hands to Docker's RUN. Pure. */
#include "build/run-command.h"
#include "base/error.h"
#include <string.h>

bool
vend_run_command_check_mount (const char *type, const char *id, const char *target,
                              GPtrArray *notes, GError **error)
{
  const char *kind = type != NULL ? type : "bind";
  /* Only speed, or room for scratch files. */
  if (strcmp (kind, "cache") == 0 || strcmp (kind, "tmpfs") == 0)
    {
      g_ptr_array_add (notes, g_strdup_printf ("the %s mount%s%s is left out", kind,
                                               target != NULL ? " at " : "",
                                               target != NULL ? target : ""));
      return true;
    }
  if (strcmp (kind, "secret") == 0 || strcmp (kind, "ssh") == 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the command needs the %s '%s', which builds on this server do not have; "
                      "fetch the files before the push, or in setup()",
                      kind, id != NULL ? id : "default");
  if (strcmp (kind, "bind") == 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "a bind mount%s%s is not possible here; commands run in the project's "
                      "folder, so name the file there",
                      target != NULL ? " at " : "", target != NULL ? target : "");
  return vend_fail (error, VEND_ERROR_INVALID, "unknown mount type '%s'", kind);
}

static bool
check_mount (const char *value, GPtrArray *notes, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (value, ",", -1);
  const char *type = NULL, *id = NULL, *target = NULL;
  const struct
  {
    const char *key;
    const char **out;
  } keys[] = { { "type=", &type },
               { "id=", &id },
               { "target=", &target },
               { "destination=", &target },
               { "dst=", &target } };
  for (gsize i = 0; parts[i] != NULL; i++)
    for (gsize k = 0; k < G_N_ELEMENTS (keys); k++)
      if (g_str_has_prefix (parts[i], keys[k].key))
        *keys[k].out = parts[i] + strlen (keys[k].key);
  return vend_run_command_check_mount (type, id, target, notes, error);
}

static bool
check_flag (const char *flag, GPtrArray *notes, GError **error)
{
  if (g_str_has_prefix (flag, "--mount="))
    return check_mount (flag + strlen ("--mount="), notes, error);
  if (g_str_has_prefix (flag, "--network="))
    {
      g_ptr_array_add (notes, g_strdup_printf ("'%s' is left out", flag));
      return true;
    }
  return vend_fail (error, VEND_ERROR_INVALID,
                    "option '%s' at the beginning of a command is not supported", flag);
}

bool
vend_run_command_read (const char *command, GPtrArray *notes, char **out, GError **error)
{
  const char *at = command + strspn (command, " \t");
  while (g_str_has_prefix (at, "--"))
    {
      const gsize length = strcspn (at, " \t");
      g_autofree char *flag = g_strndup (at, length);
      if (!check_flag (flag, notes, error))
        return false;
      at += length;
      at += strspn (at, " \t");
    }
  *out = g_strdup (at);
  return true;
}

static bool
has_word (const char *command, const char *pattern)
{
  g_autofree char *regex = g_strdup_printf ("(?:^|[\\s;&|(`'\"=])(?:%s)", pattern);
  return g_regex_match_simple (regex, command, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT);
}

char *
vend_run_command_advice (const char *command)
{
  static const struct
  {
    const char *pattern;
    const char *words;
  } known[] = {
    { "(?:apt-get|apt|aptitude|apk|yum|dnf|dpkg)\\s",
      "the command changes the packages of the server itself; list the packages in "
      "build.system_packages, and the server checks for them" },
    { "sudo\\s", "the command needs root, which a build on a server may not have" },
    { "(?:/usr|/opt|/etc|/root|/bin|/lib|/var)/(?!bin/(?:env|python|bash|sh)\\b)",
      "the command names a folder of the server itself; a version keeps only files in the "
      "project's folder and in its Python environment ($VIRTUAL_ENV/bin is on PATH)" },
    { "/src(?:/|\\s|$)", "the command names '/src', which exists only in images; commands run in "
                         "the project's folder, so use paths relative to that folder" },
  };
  g_autoptr (GString) advice = g_string_new (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (has_word (command, known[i].pattern))
      g_string_append_printf (advice, "%s%s", advice->len > 0 ? "; " : "", known[i].words);
  return advice->len > 0 ? g_string_free (g_steal_pointer (&advice), FALSE) : NULL;
}
