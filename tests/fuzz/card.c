/* vend.yaml of a project that has cat.png and a folder. */
#include "fuzz.h"
#include "build/card-append.h"
#include "build/card.h"
#include <string.h>

#define MOST_TEXTS 201

static const char *
project (void)
{
  static const char *folder;
  if (folder != NULL)
    return folder;
  folder = fuzz_folder ();
  g_autofree char *cat = g_build_filename (folder, "cat.png", NULL);
  fuzz_write_file (cat, "cat", 3);
  return folder;
}

static void
check_texts (const GPtrArray *texts)
{
  g_assert_cmpuint (texts->len, <=, MOST_TEXTS);
  for (guint i = 0; i < texts->len; i++)
    {
      fuzz_check_utf8 (texts->pdata[i]);
      g_assert_true (g_str_has_prefix (texts->pdata[i], "vend.yaml"));
      for (const char *c = texts->pdata[i]; *c != '\0'; c++)
        g_assert_false (g_ascii_iscntrl (*c));
    }
}

/* No file but those of the project. */
static void
check_files (const json_t *value)
{
  const json_t *file = json_object_get (value, VEND_CARD_FILE);
  const char *key;
  json_t *item;
  size_t i;
  if (file != NULL)
    {
      const char *path = vend_json_string (file, "path");
      g_assert_true (strcmp (path, "cat.png") == 0 || strcmp (path, VEND_CARD_YAML) == 0);
      return;
    }
  if (json_is_object (value))
    json_object_foreach ((json_t *) value, key, item)
      check_files (item);
  if (json_is_array (value))
    json_array_foreach ((json_t *) value, i, item)
      check_files (item);
}

/* One more example, or a reason; never another file. */
static void
check_append (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autofree char *made = NULL;
  g_autoptr (GError) error = NULL;
  json_auto_t *example = json_pack ("{s:{s:s}, s:[s]}", "input", "a", "@@x", "output", "\n: #");
  const bool is_good = vend_card_append_example (text, example, &made, &error);
  fuzz_check_error (is_good, error);
  g_assert_true (is_good == (made != NULL));
  if (is_good)
    g_assert_nonnull (strstr (made, "- input:"));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = g_build_filename (project (), VEND_CARD_YAML, NULL);
  fuzz_write_file (path, (const char *) data, size);
  g_autoptr (VendCard) card = vend_card_load (project (), problems, warnings);
  g_assert_true ((card == NULL) == (problems->len > 0));
  check_texts (problems);
  check_texts (warnings);
  check_append (data, size);
  if (card == NULL)
    return 0;
  fuzz_check_json (card->content);
  check_files (card->content);
  g_assert_cmpuint (json_array_size (card->lines), ==,
                    json_array_size (json_object_get (card->content, "examples")));
  return 0;
}
