/* Texts for programs that read: what models there are, and how one is called (llms.txt). */
#include "api/api-private.h"
#include "json/schema.h"
#include "store/models.h"
#include <string.h>

#define MARKDOWN "text/markdown; charset=utf-8"

/* Of a line; more is in the readme. */
#define MOST_CHARACTERS 500

/* One line: texts of authors may be long, and have control characters. */
static void
append_line (GString *out, const char *text)
{
  glong n = 0;
  for (const char *at = text; *at != '\0' && n < MOST_CHARACTERS; at = g_utf8_next_char (at), n++)
    {
      const gunichar c = g_utf8_get_char (at);
      const GUnicodeType type = g_unichar_type (c);
      const bool is_shown = type != G_UNICODE_CONTROL && type != G_UNICODE_LINE_SEPARATOR
                            && type != G_UNICODE_PARAGRAPH_SEPARATOR;
      g_string_append_unichar (out, is_shown ? c : ' ');
    }
}

static VendReply *
reply_text (GString *take)
{
  const gsize size = take->len;
  VendReply *reply = vend_reply_take (200, MARKDOWN, g_string_free (take, FALSE), size);
  vend_reply_header (reply, "X-Content-Type-Options", "nosniff");
  return reply;
}

static bool
get_list (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  const char *origin = vend_call_origin (call);
  g_autoptr (GPtrArray) models = NULL;
  VendModelPage page = { .viewer = caller->account->id, .first = true };
  VendPage rows = { .limit = VEND_PAGE_SIZE };
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_model_page (reader.db, &page, &rows, &models, error))
      return false;
  }
  GString *text
      = g_string_new ("# Vend\n\n> A server of AI models. Each is called by its name over "
                      "the Replicate HTTP API.\n\n");
  g_string_append_printf (text,
                          "- [OpenAPI description](%s/openapi.json)\n"
                          "- [All models as JSON](%s/v1/models)\n\n## Models\n",
                          origin, origin);
  for (guint i = 0; i < models->len; i++)
    {
      const VendModel *model = g_ptr_array_index (models, i);
      g_string_append_printf (text, "- [%s/%s](%s/%s/%s/llms.txt)", model->owner, model->name,
                              origin, model->owner, model->name);
      if (model->description != NULL && *model->description != '\0')
        {
          g_string_append (text, ": ");
          append_line (text, model->description);
        }
      g_string_append_c (text, '\n');
    }
  *out = reply_text (text);
  return true;
}

/* ---- One model */

typedef struct
{
  const char *name;
  const json_t *schema;
  int64_t order;
} Property;

static int
by_order (const void *a, const void *b)
{
  const Property *one = a, *other = b;
  return one->order < other->order ? -1 : one->order > other->order;
}

static const char *
type_of (const json_t *schema)
{
  const char *format = vend_json_string (schema, "format");
  const char *type = vend_json_string (schema, "type");
  if (g_strcmp0 (format, "uri") == 0)
    return "file URL";
  if (type == NULL)
    return json_object_get (schema, "allOf") != NULL ? "choice" : "any";
  return type;
}

/* The values of a choice are in a component of their own. */
static const json_t *
choices_of (const json_t *openapi, const json_t *schema)
{
  return json_object_get (vend_schema_resolve (openapi, schema), "enum");
}

static void
append_value (GString *out, const char *label, const json_t *value)
{
  if (value == NULL)
    return;
  g_autofree char *text = vend_json_text (value);
  g_string_append_printf (out, ", %s %s", label, text);
}

static void
append_property (GString *out, const json_t *openapi, const json_t *component,
                 const Property *property)
{
  const json_t *schema = property->schema;
  const char *description = vend_json_string (schema, "description");
  g_string_append_printf (out, "- `%s` (%s", property->name, type_of (schema));
  if (vend_schema_requires (component, property->name))
    g_string_append (out, ", required");
  append_value (out, "default", json_object_get (schema, "default"));
  append_value (out, "at least", json_object_get (schema, "minimum"));
  append_value (out, "at most", json_object_get (schema, "maximum"));
  append_value (out, "one of", choices_of (openapi, schema));
  g_string_append_c (out, ')');
  if (description != NULL)
    {
      g_string_append (out, ": ");
      append_line (out, description);
    }
  g_string_append_c (out, '\n');
}

static void
append_inputs (GString *out, const json_t *openapi)
{
  const json_t *component = vend_schema_component (openapi, "Input");
  g_autoptr (GArray) properties = g_array_new (FALSE, FALSE, sizeof (Property));
  const char *name;
  json_t *schema;
  json_object_foreach (json_object_get (component, "properties"), name, schema)
    {
      const Property property = { name, schema, vend_json_int (schema, "x-order", G_MAXINT) };
      g_array_append_val (properties, property);
    }
  g_array_sort (properties, by_order);
  g_string_append (out, "## Input\n");
  for (guint i = 0; i < properties->len; i++)
    append_property (out, openapi, component, &g_array_index (properties, Property, i));
  if (properties->len == 0)
    g_string_append (out, "None.\n");
}

static void
append_output (GString *out, const json_t *openapi)
{
  const json_t *schema = vend_schema_component (openapi, "Output");
  g_autofree char *text = schema != NULL ? vend_json_text (schema) : g_strdup ("{}");
  g_string_append_printf (out, "\n## Output\nJSON Schema: `%s`\n", text);
}

static void
append_call (GString *out, const VendModel *model, const json_t *example, const char *origin)
{
  json_auto_t *body = json_object ();
  json_object_set_new (body, "input",
                       example != NULL ? json_incref ((json_t *) example) : json_object ());
  g_autofree char *text = vend_json_text (body);
  g_autofree char *quoted = g_shell_quote (text);
  g_string_append_printf (out,
                          "\n## Call\n```sh\ncurl %s/v1/models/%s/%s/predictions \\\n"
                          "  -H \"Authorization: Bearer $REPLICATE_API_TOKEN\" \\\n"
                          "  -H \"Content-Type: application/json\" -H \"Prefer: wait\" \\\n"
                          "  -d %s\n```\n",
                          origin, model->owner, model->name, quoted);
}

GString *
vend_api_describe_model (VendApi *api, VendDb *db, const VendModel *model, const char *origin)
{
  json_auto_t *shown = vend_api_show_model (api, db, model, origin);
  const json_t *version = json_object_get (shown, "latest_version");
  const json_t *openapi = json_object_get (version, "openapi_schema");
  const json_t *example = json_object_get (json_object_get (shown, "default_example"), "input");
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "# %s/%s\n", model->owner, model->name);
  if (model->description != NULL && *model->description != '\0')
    {
      g_string_append (text, "\n> ");
      append_line (text, model->description);
      g_string_append_c (text, '\n');
    }
  if (openapi == NULL)
    g_string_append (text, "\nThe model has no version yet.\n");
  else
    {
      g_string_append_printf (text, "\nVersion: `%s`\n\n", model->latest_version);
      append_inputs (text, openapi);
      append_output (text, openapi);
      append_call (text, model, example, origin);
    }
  return text;
}

static bool
get_model (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_model (api, reader.db, call, caller, &model, error))
    return false;
  *out = reply_text (vend_api_describe_model (api, reader.db, model, vend_call_origin (call)));
  return true;
}

const ApiRoute vend_api_llms_routes[] = {
  { "GET", "/llms.txt", VEND_SCOPE_READ, VEND_BODY_NONE, get_list, NULL, .runs_on = VEND_RUN_READ,
    .opened_by = "public-catalogue" },
  { "GET", "/{owner}/{name}/llms.txt", VEND_SCOPE_READ, VEND_BODY_NONE, get_model, NULL,
    .runs_on = VEND_RUN_READ, .opened_by = "public-catalogue" },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
