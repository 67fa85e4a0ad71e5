/* `vend models openai`: the endpoints that a model fits, and what its owner states. Main thread
 * only.
 */
#include "cli/commands/models-openai.h"
#include "base/error.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/terminal/terminal.h"

void
vend_models_openai_print (const json_t *openai)
{
  const json_t *endpoints = json_object_get (openai, "endpoints");
  g_autoptr (GString) names = g_string_new (NULL);
  size_t i;
  json_t *name;
  const char *other;
  json_t *why;
  if (openai == NULL)
    return;
  json_array_foreach ((json_t *) endpoints, i, name)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", json_string_value (name));
  vend_terminal_print ("%-12s %s\n", "openai", names->len > 0 ? names->str : "fits no endpoint");
  json_object_foreach (json_object_get (openai, "others"), other, why)
    vend_terminal_print ("%-12s   not %s: %s\n", "", other, json_string_value (why));
}

/* The file's object, or {} for none. */
static bool
read_mapping (const char *file, json_t **out, GError **error)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  if (file == NULL)
    {
      *out = json_object ();
      return true;
    }
  if (!vend_argument_file_check (file, error) || !g_file_get_contents (file, &text, &size, error))
    return false;
  if (!vend_json_parse (text, size, out, error))
    {
      g_prefix_error (error, "--set: '%s': ", file);
      return false;
    }
  return json_is_object (*out)
         || vend_fail (error, VEND_ERROR_INVALID, "--set: '%s' is no JSON object", file);
}

static void
show (const VendConnection *connection, const json_t *openai)
{
  const json_t *stated = json_object_get (openai, "stated");
  if (connection->json)
    {
      json_auto_t *shown = openai != NULL ? json_incref ((json_t *) openai) : json_object ();
      vend_terminal_json (shown);
      return;
    }
  vend_models_openai_print (openai);
  if (stated == NULL)
    return;
  g_autofree char *text = vend_json_text (stated);
  vend_terminal_print ("%-12s %s\n", "stated", text);
}

bool
vend_models_openai (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autofree char *path = NULL, *file = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *model = NULL;
  json_auto_t *mapping = NULL;
  gboolean clears = FALSE;
  const GOptionEntry entries[]
      = { { "set", 0, 0, G_OPTION_ARG_FILENAME, &file,
            "what to state: JSON as 'openai' of vend.yaml has it", "FILE" },
          { "clear", 0, 0, G_OPTION_ARG_NONE, &clears, "state nothing any more", NULL },
          { NULL } };
  const VendOptions options = {
    .command = "models openai",
    .usage = "owner/name",
    .summary = "Shows which OpenAI endpoints a model fits, and changes what its owner states.",
    .entries = entries,
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_argument_model_path (words[0], &path, error))
    return false;
  if (clears && file != NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "--set and --clear exclude each other");
  const bool changes = clears || file != NULL;
  if ((changes && !read_mapping (file, &mapping, error))
      || !vend_client_new (&connection, &client, error))
    return false;
  json_auto_t *body = changes ? json_pack ("{s:O}", "openai", mapping) : NULL;
  if (!vend_client_call (client, changes ? "PATCH" : "GET", path, body, &model, error))
    return false;
  show (&connection, json_object_get (model, "openai"));
  return true;
}
