/* Requirement files. First part, before a line "---": python_packages, one a line; the rest is
 * requirements.txt, in a project that has more.txt beside it. */
#include "fuzz.h"
#include "base/error.h"
#include "build/requirements.h"
#include <glib/gstdio.h>
#include <string.h>

static const char *
project (void)
{
  static char *folder;
  if (folder != NULL)
    return folder;
  folder = g_build_filename (fuzz_folder (), "project", NULL);
  g_autofree char *more = g_build_filename (folder, "more.txt", NULL);
  g_autofree char *wheels = g_build_filename (folder, "wheels", NULL);
  g_autofree char *beside = g_build_filename (fuzz_folder (), "beside.txt", NULL);
  g_assert_cmpint (g_mkdir_with_parents (wheels, 0700), ==, 0);
  fuzz_write_file (more, "-r requirements.txt\nmore\n", 25);
  fuzz_write_file (beside, "beside\n", 7);
  return folder;
}

/* Lines are lines to whoever reads them next, and none is a path outside of the project. */
static void
check_lines (const GString *text)
{
  g_assert_cmpuint (text->len, ==, strlen (text->str));
  fuzz_check_utf8 (text->str);
  g_assert_true (text->len == 0 || text->str[text->len - 1] == '\n');
  for (const char *c = text->str; *c != '\0'; c = g_utf8_next_char (c))
    {
      const gunichar character = g_utf8_get_char (c);
      g_assert_true (character == '\n' || character == '\t' || !g_unichar_iscntrl (character));
      g_assert_true (character != 0x2028 && character != 0x2029);
    }
  g_auto (GStrv) lines = g_strsplit (text->str, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (lines[i][0] == '/')
      g_assert_true (g_str_has_prefix (lines[i], project ()));
}

static void
check_good (VendRequirements *good)
{
  check_lines (good->lines);
  check_lines (good->options);
  check_lines (good->constraints);
  for (guint i = 0; i < good->dropped->len; i++)
    fuzz_check_utf8 (good->dropped->pdata[i]);
  vend_requirements_free (good);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  const FuzzInput packages = fuzz_take_until (&input, "---");
  g_autofree char *text = g_strndup (packages.data, packages.size);
  g_auto (GStrv) names = g_strsplit (text, "\n", -1);
  g_autofree char *path = g_build_filename (project (), "requirements.txt", NULL);
  const bool has_file = input.size > 0;
  /* The names come from a YAML document, which is UTF-8. */
  if (!g_utf8_validate (text, -1, NULL))
    return 0;
  fuzz_write_file (path, input.data, input.size);

  VendRequirements untouched;
  VendRequirements *requirements = &untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_requirements_read (project (), has_file ? "requirements.txt" : NULL, names,
                                            &requirements, &error);
  fuzz_check_error (good, error);
  if (good)
    check_good (requirements);
  else
    g_assert_true (requirements == &untouched);
  return 0;
}
