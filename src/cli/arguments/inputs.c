/* "key=value" arguments made JSON by a version's Input schema. Main thread only. */
#include "cli/arguments/inputs.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/arguments/arguments.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

#define MAX_SECRET (64 * 1024)

static void
argument_free (VendInputArgument *argument)
{
  g_free (argument->name);
  g_free (argument->text);
  g_free (argument);
}

bool
vend_input_arguments_parse (char **words, GPtrArray **out, GError **error)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new_with_free_func ((GDestroyNotify) argument_free);

  for (guint i = 0; words[i] != NULL; i++)
    {
      const char *equals = strchr (words[i], '=');
      if (equals == NULL || equals == words[i])
        return vend_fail (error, VEND_ERROR_INVALID,
                          "'%.200s' is not an input; expected key=value or key=@file", words[i]);
      if (!g_utf8_validate (words[i], -1, NULL))
        return vend_fail (error, VEND_ERROR_INVALID, "input.%.*s: the value is not valid UTF-8",
                          (int) (equals - words[i]), words[i]);
      const char *text = equals + 1;
      VendInputArgument *argument = g_new0 (VendInputArgument, 1);
      argument->name = g_strndup (words[i], (gsize) (equals - words[i]));
      argument->is_file = text[0] == '@' && text[1] != '@';
      argument->text = g_strdup (text[0] == '@' ? text + 1 : text);
      g_ptr_array_add (arguments, argument);
    }
  *out = g_steal_pointer (&arguments);
  return true;
}

static json_t *
integer_value (const char *text)
{
  gint64 whole = 0;
  guint64 big = 0;
  if (g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &whole, NULL))
    return json_integer (whole);
  return g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, &big, NULL)
             ? vend_json_integer_new (big)
             : NULL;
}

static json_t *
number_value (const char *text)
{
  char *end = NULL;
  json_t *integer = integer_value (text);
  if (integer != NULL)
    return integer;
  if (strspn (text, "+-.0123456789eE") != strlen (text))
    return NULL;
  double number = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && isfinite (number) ? json_real (number) : NULL;
}

static json_t *
boolean_value (const char *text)
{
  static const char *const yes[] = { "true", "yes", "on", "1", NULL };
  static const char *const no[] = { "false", "no", "off", "0", NULL };
  g_autofree char *lower = g_ascii_strdown (text, -1);
  if (g_strv_contains (yes, lower))
    return json_true ();
  return g_strv_contains (no, lower) ? json_false () : NULL;
}

/* JSON of one type; `type` below 0 takes any. */
static json_t *
json_value (const char *text, int type)
{
  json_auto_t *value = NULL;
  g_autoptr (GError) ignored = NULL;
  if (!vend_json_parse (text, strlen (text), &value, &ignored))
    return NULL;
  return type < 0 || (int) json_typeof (value) == type ? g_steal_pointer (&value) : NULL;
}

/* Why `text` is JSON that cannot be passed on, or NULL. */
static char *
refusal_of (const char *text)
{
  json_auto_t *value = NULL;
  g_autoptr (GError) error = NULL;
  if (vend_json_parse (text, strlen (text), &value, &error)
      || !g_error_matches (error, VEND_ERROR, VEND_ERROR_INVALID))
    return NULL;
  return g_strdup (error->message);
}

static json_t *
choice_value (const json_t *choices, const char *text)
{
  size_t i;
  json_t *choice;
  json_array_foreach (choices, i, choice)
    {
      g_autofree char *shown = vend_json_is_string (choice) ? g_strdup (json_string_value (choice))
                                                            : vend_json_text (choice);
      if (strcmp (shown, text) == 0)
        return json_incref (choice);
      json_auto_t *number = vend_json_is_number (choice) ? number_value (text) : NULL;
      if (number != NULL && vend_json_compare (number, choice) == 0)
        return json_incref (choice);
    }
  return NULL;
}

static json_t *
typed_value (const char *type, const char *text)
{
  if (strcmp (type, "integer") == 0)
    return integer_value (text);
  if (strcmp (type, "number") == 0)
    return number_value (text);
  if (strcmp (type, "boolean") == 0)
    return boolean_value (text);
  if (strcmp (type, "array") == 0)
    return json_value (text, JSON_ARRAY);
  if (strcmp (type, "object") == 0)
    return json_value (text, JSON_OBJECT);
  if (strcmp (type, "null") == 0)
    return json_value (text, JSON_NULL);
  return json_string (text);
}

static bool
takes (const json_t *openapi, const json_t *schema, const char *type)
{
  schema = vend_schema_resolve (openapi, schema);
  const json_t *any = json_object_get (schema, "anyOf");
  size_t i;
  json_t *one;
  json_array_foreach (any, i, one)
    if (takes (openapi, one, type))
      return true;
  return g_strcmp0 (vend_json_string (schema, "type"), type) == 0;
}

/* NULL when `text` is none of what the schema allows. Text is the last resort: it always fits. */
static json_t *
schema_value (const json_t *openapi, const json_t *outer, const char *text)
{
  const json_t *schema = vend_schema_resolve (openapi, outer);
  const json_t *choices = json_object_get (schema, "enum");
  const json_t *any = json_object_get (schema, "anyOf");
  const char *type = vend_json_string (schema, "type");

  bool is_nullable
      = vend_json_bool (outer, "nullable", false) || vend_json_bool (schema, "nullable", false);
  if (is_nullable && strcmp (text, "null") == 0
      && (json_is_array (choices) || !takes (openapi, schema, "string")))
    return json_null ();
  if (json_is_array (choices))
    return choice_value (choices, text);
  if (json_is_array (any))
    {
      size_t i;
      json_t *one;
      json_array_foreach (any, i, one)
        {
          json_t *value = takes (openapi, one, "string") ? NULL : schema_value (openapi, one, text);
          if (value != NULL)
            return value;
        }
      return takes (openapi, schema, "string") ? json_string (text) : NULL;
    }
  if (type != NULL)
    return typed_value (type, text);
  json_t *value = json_value (text, -1);
  if (value != NULL)
    return value;
  g_autofree char *refusal = refusal_of (text);
  return refusal == NULL ? json_string (text) : NULL;
}

/* The schema itself, or the only one beside null; NULL when several types fit. */
static const json_t *
only_schema (const json_t *openapi, const json_t *outer)
{
  const json_t *schema = vend_schema_resolve (openapi, outer);
  const json_t *any = json_object_get (schema, "anyOf"), *only = NULL;
  size_t i;
  json_t *one;
  if (!json_is_array (any))
    return schema;
  json_array_foreach (any, i, one)
    {
      if (takes (openapi, one, "null"))
        continue;
      if (only != NULL)
        return NULL;
      only = vend_schema_resolve (openapi, one);
    }
  return only;
}

/* The server checks more, in the words of its API. */
static bool
check_value (const json_t *openapi, const VendInputArgument *argument, const json_t *value,
             GError **error)
{
  const json_t *schema = only_schema (openapi, vend_schema_field (openapi, argument->name));
  const json_t *least = json_object_get (schema, "minimum");
  const json_t *greatest = json_object_get (schema, "maximum");
  const json_t *broken = NULL;
  if (vend_json_is_string (value) && g_strcmp0 (vend_json_string (schema, "format"), "uri") == 0
      && !vend_schema_is_file_uri (json_string_value (value)))
    return vend_fail (
        error, VEND_ERROR_INVALID,
        "input.%s: expected @FILE or a URL, got '%.200s'; for a file write %s=@%.200s",
        argument->name, argument->text, argument->name,
        *argument->text != '\0' ? argument->text : "PATH");
  if (!vend_json_is_number (value))
    return true;
  if (vend_json_is_number (least) && vend_json_compare (value, least) < 0)
    broken = least;
  else if (vend_json_is_number (greatest) && vend_json_compare (value, greatest) > 0)
    broken = greatest;
  if (broken == NULL)
    return true;
  g_autofree char *bound = vend_json_text (broken);
  return vend_fail (error, VEND_ERROR_INVALID, "input.%s: expected at %s %s, got %.200s",
                    argument->name, broken == least ? "least" : "most", bound, argument->text);
}

bool
vend_input_value (const json_t *openapi, const VendInputArgument *argument, json_t **out,
                  GError **error)
{
  const json_t *schema = vend_schema_field (openapi, argument->name);
  json_t *value = schema_value (openapi, schema, argument->text);
  if (value != NULL)
    {
      json_auto_t *owned = value;
      if (!check_value (openapi, argument, value, error))
        return false;
      *out = g_steal_pointer (&owned);
      return true;
    }
  g_autofree char *expected = vend_schema_type_text (openapi, schema);
  g_autofree char *refusal = refusal_of (argument->text);
  return vend_fail (
      error, VEND_ERROR_INVALID, "input.%s: expected %s%s, got '%.200s'%s%s", argument->name,
      expected,
      takes (openapi, schema, "array") || takes (openapi, schema, "object") ? " as JSON" : "",
      argument->text, refusal != NULL ? "; " : "", refusal != NULL ? refusal : "");
}

static bool
is_secret (const json_t *openapi, const json_t *outer)
{
  const json_t *schema = vend_schema_resolve (openapi, outer);
  size_t i;
  json_t *one;
  json_array_foreach (json_object_get (schema, "anyOf"), i, one)
    if (is_secret (openapi, one))
      return true;
  return g_strcmp0 (vend_json_string (schema, "format"), "password") == 0
         || vend_json_bool (schema, "x-cog-secret", false);
}

static bool
read_secret (const char *path, char **out, gsize *out_size, GError **error)
{
  if (strcmp (path, "-") == 0)
    return vend_fd_read_all (STDIN_FILENO, "standard input", MAX_SECRET, out, out_size, error);
  return vend_argument_file_check (path, error)
         && vend_file_read (path, MAX_SECRET, out, out_size, error);
}

bool
vend_input_read_secret (const json_t *openapi, VendInputArgument *argument, GError **error)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  g_autoptr (GError) problem = NULL;
  if (!argument->is_file || !is_secret (openapi, vend_schema_field (openapi, argument->name)))
    return true;
  if (!read_secret (argument->text, &text, &size, &problem))
    return vend_fail (error, VEND_ERROR_INVALID, "input.%s: %s", argument->name, problem->message);
  if (!g_utf8_validate (text, (gssize) size, NULL))
    return vend_fail (error, VEND_ERROR_INVALID, "input.%s: '%s' is not UTF-8 text", argument->name,
                      argument->text);
  if (g_str_has_suffix (text, "\n"))
    text[--size] = '\0';
  if (g_str_has_suffix (text, "\r"))
    text[--size] = '\0';
  g_free (argument->text);
  argument->text = g_steal_pointer (&text);
  argument->is_file = false;
  return true;
}

bool
vend_input_file_check (const json_t *openapi, const VendInputArgument *argument, GError **error)
{
  const json_t *schema = vend_schema_resolve (openapi, vend_schema_field (openapi, argument->name));
  bool is_typed = json_object_get (schema, "type") != NULL
                  || json_object_get (schema, "anyOf") != NULL
                  || json_object_get (schema, "enum") != NULL;
  g_autofree char *expected = vend_schema_type_text (openapi, schema);

  if (is_typed && !takes (openapi, schema, "string") && !takes (openapi, schema, "array"))
    return vend_fail (error, VEND_ERROR_INVALID, "input.%s: expected %s, got a file",
                      argument->name, expected);
  if (!vend_argument_file_check (argument->text, error))
    {
      g_prefix_error (error, "input.%s: ", argument->name);
      return false;
    }
  return g_file_test (argument->text, G_FILE_TEST_IS_REGULAR)
         || vend_fail (error, VEND_ERROR_INVALID, "input.%s: '%s' is not a plain file",
                       argument->name, argument->text);
}

bool
vend_input_set (const json_t *openapi, json_t *input, const VendInputArgument *argument,
                json_t *value, GError **error)
{
  json_auto_t *owned = value;
  json_t *before = json_object_get (input, argument->name);
  const json_t *schema = vend_schema_field (openapi, argument->name);
  bool is_element
      = argument->is_file && takes (openapi, schema, "array") && !takes (openapi, schema, "string");

  if (before != NULL && !(is_element && json_is_array (before)))
    return vend_fail (error, VEND_ERROR_INVALID, "input.%s: given twice", argument->name);
  if (is_element && before == NULL)
    json_object_set_new (input, argument->name, json_pack ("[O]", owned));
  else if (is_element)
    json_array_append (before, owned);
  else
    json_object_set (input, argument->name, owned);
  return true;
}

bool
vend_input_required_check (const json_t *openapi, const GPtrArray *arguments, GError **error)
{
  const json_t *schema = vend_schema_resolve (openapi, vend_schema_component (openapi, "Input"));
  size_t i;
  json_t *name;
  json_array_foreach (json_object_get (schema, "required"), i, name)
    {
      const char *wanted = json_string_value (name);
      bool is_given = wanted == NULL;
      for (guint j = 0; j < arguments->len && !is_given; j++)
        {
          const VendInputArgument *argument = g_ptr_array_index (arguments, j);
          is_given = strcmp (argument->name, wanted) == 0;
        }
      if (!is_given)
        {
          g_autofree char *expected
              = vend_schema_type_text (openapi, vend_schema_field (openapi, wanted));
          return vend_fail (error, VEND_ERROR_INVALID, "input.%s: is required (%s)", wanted,
                            expected);
        }
    }
  return true;
}
