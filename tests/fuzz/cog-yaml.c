/* cog.yaml of a project that has run.py and requirements.txt. */
#include "fuzz.h"
#include "build/cog-yaml-private.h"
#include <string.h>

#define MOST_TEXTS 200

static const char *
project (void)
{
  static const char *folder;
  if (folder != NULL)
    return folder;
  folder = fuzz_folder ();
  g_autofree char *run = g_build_filename (folder, "run.py", NULL);
  g_autofree char *requirements = g_build_filename (folder, "requirements.txt", NULL);
  fuzz_write_file (run, "", 0);
  fuzz_write_file (requirements, "", 0);
  return folder;
}

static void
check_texts (const GPtrArray *texts)
{
  g_assert_cmpuint (texts->len, <=, MOST_TEXTS);
  for (guint i = 0; i < texts->len; i++)
    {
      fuzz_check_utf8 (texts->pdata[i]);
      g_assert_true (g_str_has_prefix (texts->pdata[i], "cog.yaml"));
      g_assert_cmpuint (strlen (texts->pdata[i]), <=, 2000);
      for (const char *c = texts->pdata[i]; *c != '\0'; c++)
        g_assert_false (g_ascii_iscntrl (*c));
    }
}

static void
check_list (char *const *list)
{
  g_assert_nonnull (list);
  for (guint i = 0; list[i] != NULL; i++)
    {
      fuzz_check_utf8 (list[i]);
      g_assert_null (strpbrk (list[i], "\r\n"));
    }
}

static void
check_yaml (const VendCogYaml *yaml)
{
  check_list (yaml->python_packages);
  check_list (yaml->system_packages);
  check_list (yaml->run);
  g_assert_nonnull (yaml->environment);
  g_assert_true (yaml->predict != NULL || yaml->train != NULL);
  g_assert_true (yaml->concurrency >= 0 && yaml->concurrency <= 256);
  g_assert_true (yaml->python_requirements == NULL || yaml->python_packages[0] == NULL);
  for (guint i = 0; yaml->environment[i] != NULL; i++)
    g_assert_nonnull (strchr (yaml->environment[i], '='));
  fuzz_check_json (yaml->meaning);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (VendCogYaml) yaml
      = vend_cog_yaml_read (project (), (const char *) data, size, problems, warnings);
  g_assert_true ((yaml == NULL) == (problems->len > 0));
  check_texts (problems);
  check_texts (warnings);
  if (yaml != NULL)
    check_yaml (yaml);
  return 0;
}
