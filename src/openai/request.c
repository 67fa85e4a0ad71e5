/* Requests of OpenAI's endpoints as inputs of models: what all of them share. */
#include "openai/request.h"
#include "json/schema.h"
#include <math.h>
#include <string.h>

#define MAX_MODEL_NAME 300
/* In the header that names them. */
#define MAX_IGNORED 40
#define MAX_IGNORED_NAME 64

void
vend_openai_ask_init (VendOpenaiAsk *ask)
{
  *ask = (VendOpenaiAsk){ .input = json_object (),
                          .params = json_object (),
                          .ignored = g_string_new (NULL) };
}

void
vend_openai_ask_clear (VendOpenaiAsk *ask)
{
  json_decref (ask->input);
  json_decref (ask->params);
  json_decref (ask->stop);
  if (ask->ignored != NULL)
    g_string_free (ask->ignored, TRUE);
  *ask = (VendOpenaiAsk){ 0 };
}

bool
vend_openai_model_name (const json_t *body, const char **out, VendOpenaiFault *fault)
{
  const json_t *name = json_object_get (body, "model");
  if (!json_is_string (name) || json_string_length (name) == 0
      || json_string_length (name) > MAX_MODEL_NAME)
    return vend_openai_refuse (fault, "model",
                               "model: expected the name of a model, such as owner/name");
  *out = json_string_value (name);
  return true;
}

bool
vend_openai_ask_set (VendOpenaiAsk *ask, const VendOpenaiModel *model, const char *field,
                     const char *param, json_t *value)
{
  const char *name = vend_openai_input (model, field, NULL);
  if (name == NULL)
    return false;
  json_object_set (ask->input, name, value);
  json_object_set_new (ask->params, name, json_string (param));
  return true;
}

/* Names go into a header: those that could not be there are left out. */
static bool
is_plain (const char *name)
{
  for (const char *c = name; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("_-.", *c) == NULL)
      return false;
  return *name != '\0' && strlen (name) <= MAX_IGNORED_NAME;
}

void
vend_openai_ask_ignore (VendOpenaiAsk *ask, const char *param)
{
  guint n = ask->ignored->len > 0 ? 1 : 0;
  for (const char *c = ask->ignored->str; *c != '\0'; c++)
    n += *c == ',';
  if (!is_plain (param) || n >= MAX_IGNORED)
    return;
  g_string_append_printf (ask->ignored, "%s%s", n > 0 ? "," : "", param);
}

static bool
is_among (const char *const *names, const char *name)
{
  for (; *names != NULL; names++)
    if (strcmp (*names, name) == 0)
      return true;
  return false;
}

json_t *
vend_openai_number (const json_t *value)
{
  const char *text = json_string_value (value);
  char *end = NULL;
  gint64 whole = 0;
  if (text == NULL)
    return json_incref ((json_t *) value);
  if (g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &whole, NULL))
    return json_integer (whole);
  const double number = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && isfinite (number) ? json_real (number)
                                                          : json_incref ((json_t *) value);
}

/* What a form has as text, for an input that is none. */
static json_t *
fitting (const VendOpenaiModel *model, const json_t *schema, json_t *value)
{
  const char *text = json_string_value (value);
  if (text == NULL || vend_openai_takes_text (model, schema)
      || vend_openai_takes_file (model, schema) || vend_openai_takes_list (model, schema))
    return json_incref (value);
  if (strcmp (text, "true") == 0 || strcmp (text, "false") == 0)
    return json_boolean (*text == 't');
  return vend_openai_number (value);
}

void
vend_openai_ask_others (VendOpenaiAsk *ask, const VendOpenaiModel *model, const json_t *body,
                        const char *const *known)
{
  const json_t *properties = vend_schema_properties (model->openapi, "Input");
  const char *name;
  json_t *value;
  json_object_foreach ((json_t *) body, name, value)
    {
      if (is_among (known, name) || json_is_null (value))
        continue;
      if (json_object_get (properties, name) == NULL || json_object_get (ask->input, name) != NULL)
        {
          vend_openai_ask_ignore (ask, name);
          continue;
        }
      json_object_set_new (ask->input, name,
                           fitting (model, json_object_get (properties, name), value));
      json_object_set_new (ask->params, name, json_string (name));
    }
}

const char *
vend_openai_ask_param (const VendOpenaiAsk *ask, const char *field)
{
  if (field == NULL)
    return NULL;
  const char *name = g_str_has_prefix (field, "input.") ? field + strlen ("input.") : field;
  g_autofree char *first = g_strndup (name, strcspn (name, "."));
  return vend_json_string (ask->params, first);
}

uint64_t
vend_openai_count_words (const char *text)
{
  uint64_t n = 0;
  bool in_word = false;
  for (const char *c = text; *c != '\0'; c++)
    {
      const bool is_space = g_ascii_isspace (*c);
      n += !is_space && !in_word;
      in_word = !is_space;
    }
  return n;
}
