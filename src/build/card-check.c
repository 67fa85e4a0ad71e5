/* The examples of a card against the schema of its version. Pure. */
#include "build/card.h"
#include "base/error.h"
#include "build/card-private.h"
#include "cog/input.h"
#include "json/schema.h"
#include "model/prediction.h"
#include <string.h>

/* Stands for a file, which has no URL yet. */
#define SOME_URL "https://example.com/file"

/* `value` with URLs in the place of files; a new value. */
static json_t *
with_urls (const json_t *value)
{
  const char *key;
  json_t *item, *made;
  size_t i;
  if (json_object_get (value, VEND_CARD_FILE) != NULL)
    return json_string (SOME_URL);
  if (json_is_object (value))
    {
      made = json_object ();
      json_object_foreach ((json_t *) value, key, item)
        json_object_set_new (made, key, with_urls (item));
      return made;
    }
  if (json_is_array (value))
    {
      made = json_array ();
      json_array_foreach ((json_t *) value, i, item)
        json_array_append_new (made, with_urls (item));
      return made;
    }
  return json_incref ((json_t *) value);
}

/* `field` is "input.images.2". */
static int
line_of (const json_t *places, const char *field)
{
  const json_t *lines = json_object_get (places, "input");
  const char *name = g_str_has_prefix (field, "input.") ? field + strlen ("input.") : field;
  const char *found = NULL;
  const char *key;
  json_t *line;
  /* A name may have a dot. */
  json_object_foreach ((json_t *) lines, key, line)
    if (g_str_has_prefix (name, key) && (name[strlen (key)] == '\0' || name[strlen (key)] == '.'))
      found = key;
  return (int) vend_json_int (found != NULL ? lines : places, found != NULL ? found : "line", 0);
}

static void
check_names (const VendYamlReport *report, size_t number, const json_t *places, const json_t *input,
             const json_t *openapi)
{
  const json_t *known = vend_schema_properties (openapi, "Input");
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *) input, key, value)
    if (json_object_get (known, key) == NULL)
      {
        g_autofree char *shown = vend_yaml_shown (key);
        vend_yaml_problem (report, line_of (places, key),
                           "examples[%zu].input.%s: the model has no such input", number, shown);
      }
}

/* Values of Secrets are nobody's to see. */
static void
redact (json_t *input, const json_t *openapi)
{
  json_auto_t *secrets = vend_cog_secret_names (openapi, "Input");
  size_t i;
  json_t *name;
  json_array_foreach (secrets, i, name)
    if (json_object_get (input, json_string_value (name)) != NULL)
      json_object_set_new (input, json_string_value (name), json_string (VEND_REDACTED));
}

static void
check_input (const VendYamlReport *report, size_t number, const json_t *places, json_t *input,
             const json_t *openapi)
{
  json_auto_t *checked = with_urls (input);
  json_auto_t *problems = vend_schema_problems (openapi, "Input", checked);
  g_autoptr (GError) error = NULL;
  size_t i;
  json_t *problem;
  check_names (report, number, places, input, openapi);
  json_array_foreach (problems, i, problem)
    {
      const char *field = vend_json_string (problem, "field");
      g_autofree char *shown = vend_yaml_shown (field);
      vend_yaml_problem (report, line_of (places, field), "examples[%zu].%s: %s", number, shown,
                         vend_json_string (problem, "description"));
    }
  if (!vend_cog_input_check (checked, &error))
    vend_yaml_problem (report, (int) vend_json_int (places, "line", 0), "examples[%zu].%s", number,
                       error->message);
  vend_cog_input_make_whole (openapi, "Input", input);
  redact (input, openapi);
}

bool
vend_card_check_inputs (VendCard *card, const json_t *openapi, GPtrArray *problems)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  const VendYamlReport report = { .problems = found, .warnings = found, .file = VEND_CARD_YAML };
  size_t i;
  json_t *example;
  json_array_foreach (json_object_get (card->content, "examples"), i, example)
    check_input (&report, i, json_array_get (card->lines, i), json_object_get (example, "input"),
                 openapi);
  vend_card_check_openai (json_object_get (card->content, "openai"), openapi, &report);
  const bool is_good = found->len == 0;
  g_ptr_array_extend_and_steal (problems, g_steal_pointer (&found));
  return is_good;
}
