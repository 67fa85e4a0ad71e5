/* Patterns of files to leave out. First line: a path; the rest: the patterns. */
#include "fuzz.h"
#include "base/error.h"
#include "build/ignore.h"
#include <string.h>

/* A relative path as a walk of a folder makes it. */
static bool
is_walked (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    if (parts[i][0] == '\0' || strcmp (parts[i], ".") == 0 || strcmp (parts[i], "..") == 0)
      return false;
  return *path != '\0';
}

static void
check_matches (const VendIgnore *ignore, const char *path)
{
  const bool as_file = vend_ignore_matches (ignore, path, false);
  const bool as_folder = vend_ignore_matches (ignore, path, true);
  g_autofree char *inside = g_strconcat (path, "/x", NULL);
  if (vend_ignore_has_exceptions (ignore))
    return;
  /* A folder that is left out takes all in it with it, and so does a file's name. */
  g_assert_true (!as_file || as_folder);
  g_assert_true (!as_folder || vend_ignore_matches (ignore, inside, false));
}

static void
check_style (const char *text, const char *path, VendIgnoreStyle style)
{
  VendIgnore *const untouched = (VendIgnore *) text;
  VendIgnore *ignore = untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_ignore_parse (text, style, &ignore, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (ignore == untouched && error->code == VEND_ERROR_TOO_LARGE);
      return;
    }
  check_matches (ignore, path);
  vend_ignore_free (ignore);
}

/* A path whose special characters are escaped is a pattern for itself. */
static void
check_itself (const char *path, VendIgnoreStyle style)
{
  g_autoptr (GString) pattern = g_string_new ("/");
  g_autoptr (VendIgnore) ignore = NULL;
  for (const char *c = path; *c != '\0'; c++)
    {
      if (strchr ("*?[]\\!# ", *c) != NULL)
        g_string_append_c (pattern, '\\');
      g_string_append_c (pattern, *c);
    }
  g_assert_true (vend_ignore_parse (pattern->str, style, &ignore, NULL));
  const char last = path[strlen (path) - 1];
  if (!g_ascii_isspace (last) && !g_ascii_isspace (path[0]))
    g_assert_true (vend_ignore_matches (ignore, path, false));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  g_autofree char *path = fuzz_take_line (&input);
  g_autofree char *text = fuzz_take_text (&input);
  if (!is_walked (path))
    return 0;
  check_style (text, path, VEND_IGNORE_DOCKER);
  check_style (text, path, VEND_IGNORE_GIT);
  check_itself (path, VEND_IGNORE_DOCKER);
  check_itself (path, VEND_IGNORE_GIT);
  return 0;
}
