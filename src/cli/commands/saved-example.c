/* A run that is kept as an example in the folder of its model. Main thread only; blocks. */
#include "cli/commands/saved-example.h"
#include "base/error.h"
#include "base/fd.h"
#include "build/card-append.h"
#include "build/card.h"
#include "cli/terminal/save.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "examples"
#define OUTPUT_PATH "/v1/outputs/"
#define MAX_TEXT ((gsize) 1024 * 1024)

struct VendSavedExample
{
  char *dir;
  char *folder; /* DIR/examples, where files go */
  char *yaml;
  VendProgress *progress;
  GHashTable *uploaded; /* URL → path */
  GHashTable *known;    /* URL → text for the file */
  GPtrArray *made;      /* paths of files that this run made */
  VendClient *client;
};

void
vend_saved_example_free (VendSavedExample *saved)
{
  if (saved == NULL)
    return;
  g_free (saved->dir);
  g_free (saved->folder);
  g_free (saved->yaml);
  g_hash_table_unref (saved->uploaded);
  g_hash_table_unref (saved->known);
  g_ptr_array_unref (saved->made);
  g_free (saved);
}

/* "" when there is no file yet. */
static bool
read_yaml (const char *path, char **out, GError **error)
{
  gsize size = 0;
  g_autoptr (GError) problem = NULL;
  if (vend_file_read (path, MAX_TEXT, out, &size, &problem))
    return true;
  if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return vend_fail (error, VEND_ERROR_INVALID, "%s", problem->message);
  *out = g_strdup ("");
  return true;
}

/* Found before the model runs. */
static bool
check (const VendSavedExample *saved, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *text = NULL, *unused = NULL;
  json_auto_t *empty = json_pack ("{s:{}}", "input");
  if (!g_file_test (saved->dir, G_FILE_TEST_IS_DIR))
    return vend_fail (error, VEND_ERROR_INVALID, "--save-example: '%s' is not a directory",
                      saved->dir);
  g_autoptr (VendCard) card = vend_card_load (saved->dir, problems, warnings);
  if (card == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "--save-example: %s",
                      (const char *) g_ptr_array_index (problems, 0));
  if (json_array_size (json_object_get (card->content, "examples")) >= VEND_CARD_MAX_EXAMPLES)
    return vend_fail (error, VEND_ERROR_INVALID, "--save-example: '%s' has %d examples already",
                      saved->yaml, VEND_CARD_MAX_EXAMPLES);
  return read_yaml (saved->yaml, &text, error)
         && vend_card_append_example (text, empty, &unused, error);
}

bool
vend_saved_example_new (const char *dir, VendProgress *progress, VendSavedExample **out,
                        GError **error)
{
  g_autoptr (VendSavedExample) saved = g_new0 (VendSavedExample, 1);
  saved->dir = g_strdup (dir);
  saved->folder = g_build_filename (dir, FOLDER "/", NULL);
  saved->yaml = g_build_filename (dir, VEND_CARD_YAML, NULL);
  saved->progress = progress;
  saved->uploaded = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  saved->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  saved->made = g_ptr_array_new_with_free_func (g_free);
  if (!check (saved, error))
    return false;
  *out = g_steal_pointer (&saved);
  return true;
}

void
vend_saved_example_uploaded (VendSavedExample *saved, const char *url, const char *path)
{
  g_hash_table_insert (saved->uploaded, g_strdup (url), g_strdup (path));
}

/* ---- Files */

/* Its path below the folder of the model; NULL when it lies elsewhere. */
static char *
path_inside (const VendSavedExample *saved, const char *path)
{
  char top[PATH_MAX], target[PATH_MAX];
  if (realpath (saved->dir, top) == NULL || realpath (path, target) == NULL)
    return NULL;
  const gsize length = strlen (top);
  return strncmp (target, top, length) == 0 && target[length] == '/'
             ? g_strdup (target + length + 1)
             : NULL;
}

static char *
text_of_made (VendSavedExample *saved, char *path)
{
  g_autofree char *name = g_path_get_basename (path);
  g_ptr_array_add (saved->made, path);
  return g_strdup_printf ("@" FOLDER "/%s", name);
}

/* The text in vend.yaml for the file behind `url`; NULL after an error. */
static char *
take_file (VendSavedExample *saved, const char *url, GError **error)
{
  const VendSave save = { saved->folder, false, saved->progress };
  const char *local = g_hash_table_lookup (saved->uploaded, url);
  g_autofree char *inside = local != NULL ? path_inside (saved, local) : NULL;
  char *path = NULL;
  if (inside != NULL)
    return g_strconcat ("@", inside, NULL);
  if (local != NULL ? !vend_save_copy (&save, local, &path, error)
                    : !vend_save_url (&save, saved->client, url, 0, 1, &path, error))
    return NULL;
  return text_of_made (saved, path);
}

static bool
is_file (const VendSavedExample *saved, const char *text)
{
  return g_hash_table_contains (saved->uploaded, text)
         || ((g_str_has_prefix (text, "http://") || g_str_has_prefix (text, "https://"))
             && strstr (text, OUTPUT_PATH) != NULL);
}

static json_t *
text_value (VendSavedExample *saved, const char *text, GError **error)
{
  if (!is_file (saved, text))
    {
      g_autofree char *escaped = g_strconcat (text[0] == '@' ? "@" : "", text, NULL);
      return json_string (escaped);
    }
  char *known = g_hash_table_lookup (saved->known, text);
  if (known == NULL)
    {
      known = take_file (saved, text, error);
      if (known == NULL)
        return NULL;
      g_hash_table_insert (saved->known, g_strdup (text), known);
    }
  return vend_json_string_new (known, strlen (known));
}

/* As it stands in vend.yaml; NULL after an error. */
static json_t *
file_value (VendSavedExample *saved, const json_t *value, GError **error)
{
  const char *key;
  json_t *item;
  size_t i;
  if (vend_json_is_string (value))
    return text_value (saved, json_string_value (value), error);
  if (!json_is_object (value) && !json_is_array (value))
    return json_incref ((json_t *) value);
  json_auto_t *made = json_is_object (value) ? json_object () : json_array ();
  json_object_foreach ((json_t *) value, key, item)
    {
      json_t *taken = file_value (saved, item, error);
      if (taken == NULL)
        return NULL;
      json_object_set_new (made, key, taken);
    }
  json_array_foreach ((json_t *) value, i, item)
    {
      json_t *taken = file_value (saved, item, error);
      if (taken == NULL)
        return NULL;
      json_array_append_new (made, taken);
    }
  return g_steal_pointer (&made);
}

/* ---- The run */

static json_t *
make_example (VendSavedExample *saved, const json_t *prediction, GError **error)
{
  json_auto_t *example = json_object ();
  const json_t *metrics = json_object_get (prediction, "metrics");
  const char *logs = vend_json_string (prediction, "logs");
  json_t *input = file_value (saved, json_object_get (prediction, "input"), error);
  if (input == NULL)
    return NULL;
  json_object_set_new (example, "input", input);
  json_t *output = file_value (saved, json_object_get (prediction, "output"), error);
  if (output == NULL)
    return NULL;
  json_object_set_new (example, "output", output);
  if (logs != NULL && *logs != '\0')
    vend_json_set_string (example, "logs", logs);
  if (json_object_size (metrics) > 0)
    json_object_set (example, "metrics", (json_t *) metrics);
  return g_steal_pointer (&example);
}

static void
unmake (const VendSavedExample *saved)
{
  for (guint i = 0; i < saved->made->len; i++)
    unlink (g_ptr_array_index (saved->made, i));
  rmdir (saved->folder); /* only when it is empty */
}

static bool
write_yaml (const VendSavedExample *saved, const json_t *example, GError **error)
{
  struct stat st;
  g_autofree char *text = NULL, *made = NULL;
  const int mode = stat (saved->yaml, &st) == 0 ? (int) (st.st_mode & 0777) : 0666;
  return read_yaml (saved->yaml, &text, error)
         && vend_card_append_example (text, example, &made, error)
         && vend_file_replace (saved->yaml, made, strlen (made), mode, error);
}

bool
vend_saved_example_write (VendSavedExample *saved, VendClient *client, const json_t *prediction,
                          GError **error)
{
  saved->client = client;
  json_auto_t *example = make_example (saved, prediction, error);
  if (example != NULL && write_yaml (saved, example, error))
    {
      vend_terminal_note ("saved as an example in %s", saved->yaml);
      return true;
    }
  unmake (saved);
  g_prefix_error (error, "--save-example: ");
  return false;
}
