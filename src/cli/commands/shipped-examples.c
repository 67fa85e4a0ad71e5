/* The example models that Vend ships. Main thread only; blocks on disk. */
#include "cli/commands/shipped-examples.h"
#include "base/error.h"
#include "build/card.h"
#include "cli/terminal/terminal.h"
#include "model/account.h"
#include <string.h>

static void
example_free (void *data)
{
  VendShippedExample *example = data;
  g_free (example->name);
  g_free (example->dir);
  json_decref (example->card);
  g_free (example);
}

static bool
is_example (const char *dir)
{
  g_autofree char *yaml = g_build_filename (dir, "cog.yaml", NULL);
  return g_file_test (yaml, G_FILE_TEST_EXISTS);
}

static bool
has_examples (const char *dir)
{
  g_autoptr (GDir) listing = g_dir_open (dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);
      if (is_example (path))
        return true;
    }
  return false;
}

/* The program may have been moved since it was installed, with all that belongs to it. */
static char *
beside_program (const char *path)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  if (program == NULL)
    return NULL;
  g_autofree char *bin = g_path_get_dirname (program);
  g_autofree char *above = g_path_get_dirname (bin);
  return g_build_filename (above, path, NULL);
}

bool
vend_shipped_examples_find (const char *given, char **out, GError **error)
{
  g_autofree char *installed = beside_program ("share/vend/examples");
  g_autofree char *checkout = beside_program ("examples");
  const char *const places[] = { installed, checkout, VEND_EXAMPLES_DIR };
  if (given != NULL)
    {
      *out = g_strdup (given);
      return has_examples (given)
             || vend_fail (error, VEND_ERROR_INVALID, "--dir: '%s' has no folder with a cog.yaml",
                           given);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    if (places[i] != NULL && has_examples (places[i]))
      {
        *out = g_strdup (places[i]);
        return true;
      }
  return vend_fail (error, VEND_ERROR_NOT_FOUND,
                    "no examples in '%s' or '%s'; name their folder with --dir",
                    installed != NULL ? installed : "", VEND_EXAMPLES_DIR);
}

static VendShippedExample *
load_one (const char *name, const char *dir)
{
  VendShippedExample *example = g_new0 (VendShippedExample, 1);
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (VendCard) card = vend_card_load (dir, problems, warnings);
  example->name = g_strdup (name);
  example->dir = g_strdup (dir);
  example->card = card != NULL ? json_incref (card->content) : NULL;
  for (guint i = 0; i < problems->len; i++)
    {
      g_autofree char *line = vend_terminal_one_line (g_ptr_array_index (problems, i));
      vend_terminal_warn ("%s: %s", name, line);
    }
  return example;
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(VendShippedExample *const *) a)->name,
                 (*(VendShippedExample *const *) b)->name);
}

bool
vend_shipped_examples_load (const char *dir, GPtrArray **out, GError **error)
{
  g_autoptr (GPtrArray) examples = g_ptr_array_new_with_free_func (example_free);
  g_autoptr (GDir) listing = g_dir_open (dir, 0, error);
  if (listing == NULL)
    return false;
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);
      /* Its name becomes that of a model. */
      if (is_example (path) && vend_name_check ("name", name, NULL))
        g_ptr_array_add (examples, load_one (name, path));
    }
  g_ptr_array_sort (examples, by_name);
  *out = g_steal_pointer (&examples);
  return true;
}

bool
vend_shipped_examples_get (const GPtrArray *examples, const char *name,
                           const VendShippedExample **out, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i < examples->len; i++)
    {
      const VendShippedExample *example = g_ptr_array_index (examples, i);
      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", example->name);
      if (strcmp (example->name, name) == 0)
        {
          *out = example;
          return true;
        }
    }
  return vend_fail (error, VEND_ERROR_INVALID, "there is no example '%.80s'; expected one of: %s",
                    name, names->str);
}
