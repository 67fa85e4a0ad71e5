/* The same rules as for vend.yaml and the API: an archive is no way around them. */
#include "build/bundle-page.h"
#include "base/error.h"
#include "build/bundle-manifest.h"
#include "build/card.h"
#include "openai/mapping.h"
#include <string.h>

#define MAX_TEXT ((gsize) 1024 * 1024) /* as by the API */

static bool
wrong (GError **error, const char *field, const char *why)
{
  return vend_fail (error, VEND_ERROR_INVALID, VEND_BUNDLE_MANIFEST ": page.%s: %s", field, why);
}

static bool
check_text (const json_t *page, const char *key, GError **error)
{
  const json_t *value = json_object_get (page, key);
  if (value == NULL)
    return true;
  if (!json_is_string (value))
    return wrong (error, key, "expected a text");
  return json_string_length (value) <= MAX_TEXT || wrong (error, key, "it is longer than 1 MiB");
}

static bool
check_url (const json_t *page, const char *key, GError **error)
{
  const char *text = vend_json_string (page, key);
  if (!check_text (page, key, error))
    return false;
  return text == NULL || g_str_has_prefix (text, "https://") || g_str_has_prefix (text, "http://")
         || wrong (error, key, "expected an http or https URL");
}

static bool
check_file (const json_t *file, const char *field, GHashTable *files, GError **error)
{
  const char *path = vend_json_string (file, "path");
  const char *name = vend_json_string (file, "name");
  g_autofree char *inside = g_strconcat (VEND_BUNDLE_PAGE, "/", path != NULL ? path : "", NULL);
  const VendBundleEntry *entry = g_hash_table_lookup (files, inside);
  if (name == NULL || *name == '\0' || strchr (name, '/') != NULL
      || vend_json_string (file, "type") == NULL)
    return wrong (error, field, "a file has no name or type");
  return (entry != NULL && g_strcmp0 (vend_json_string (file, "sha256"), entry->sha256) == 0
          && vend_json_int (file, "size", -1) == (int64_t) entry->size)
         || wrong (error, field, "'files' has not the file that it names");
}

/* How deep a value is, its parser has limited. */
static bool
check_files (const json_t *value, const char *field, GHashTable *files, GError **error)
{
  const json_t *file = json_object_get (value, VEND_CARD_FILE);
  const char *key;
  json_t *item;
  size_t i;
  if (file != NULL)
    return check_file (file, field, files, error);
  json_object_foreach ((json_t *) value, key, item)
    if (!check_files (item, field, files, error))
      return false;
  json_array_foreach ((json_t *) value, i, item)
    if (!check_files (item, field, files, error))
      return false;
  return true;
}

bool
vend_bundle_page_has_file (const json_t *value)
{
  const char *key;
  json_t *item;
  size_t i;
  if (json_object_get (value, VEND_CARD_FILE) != NULL)
    return true;
  json_object_foreach ((json_t *) value, key, item)
    if (vend_bundle_page_has_file (item))
      return true;
  json_array_foreach ((json_t *) value, i, item)
    if (vend_bundle_page_has_file (item))
      return true;
  return false;
}

/* Clients expect an object, and numbers for the times. */
static bool
check_metrics (const json_t *metrics, GError **error)
{
  static const char *const times[] = { "predict_time", "total_time" };
  if (metrics == NULL)
    return true;
  if (!json_is_object (metrics))
    return wrong (error, "examples", "metrics are no object");
  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    {
      const json_t *time = json_object_get (metrics, times[i]);
      if (time != NULL && (!vend_json_is_number (time) || vend_json_number (time) < 0))
        return wrong (error, "examples", "a time is no number of seconds");
    }
  return true;
}

static bool
check_examples (const json_t *examples, GHashTable *files, GError **error)
{
  size_t i;
  json_t *example;
  if (examples == NULL)
    return true;
  if (!json_is_array (examples) || json_array_size (examples) > VEND_CARD_MAX_EXAMPLES)
    return wrong (error, "examples", "expected a list of at most 50");
  json_array_foreach ((json_t *) examples, i, example)
    if (!json_is_object (json_object_get (example, "input"))
        || json_object_get (example, "output") == NULL)
      return wrong (error, "examples", "one has no input or output");
    else if (!check_text (example, "logs", error)
             || !check_metrics (json_object_get (example, "metrics"), error)
             || !check_files (json_object_get (example, "input"), "examples", files, error)
             || !check_files (json_object_get (example, "output"), "examples", files, error))
      return false;
  return true;
}

static bool
check_openai (const json_t *mapping, GError **error)
{
  g_autofree char *problem = mapping != NULL ? vend_openai_mapping_problem (mapping) : NULL;
  return problem == NULL || wrong (error, "openai", problem);
}

bool
vend_bundle_page_check (const json_t *page, GHashTable *files, GError **error)
{
  const json_t *cover = json_object_get (page, "cover");
  if (cover != NULL && json_object_get (cover, VEND_CARD_FILE) == NULL)
    return wrong (error, "cover", "expected a file");
  return check_text (page, "description", error) && check_text (page, "readme", error)
         && check_url (page, "github_url", error) && check_url (page, "paper_url", error)
         && check_url (page, "license_url", error) && check_files (cover, "cover", files, error)
         && check_openai (json_object_get (page, "openai"), error)
         && check_examples (json_object_get (page, "examples"), files, error);
}
