/* `vend versions`: lists, shows and deletes versions of a model. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/arguments/inputs.h"
#include "cli/terminal/table.h"
#include "base/error.h"
#include "base/hash.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CANDIDATES 5 /* that an error names */

static bool
list (VendClient *client, const VendConnection *connection, const char *model_path, GError **error)
{
  static const char *const columns[] = { "VERSION", "CREATED", "COG", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  g_autofree char *path = g_strconcat (model_path, "/versions", NULL);
  json_auto_t *page = NULL;
  size_t i;
  json_t *item;

  if (!vend_client_list (client, path, 0, &page, error))
    return false;
  if (connection->json)
    {
      vend_terminal_json (page);
      return true;
    }
  json_array_foreach (json_object_get (page, "results"), i, item)
    {
      g_autofree char *created = vend_argument_shown_time (item, "created_at");
      vend_table_add (table, vend_argument_shown (item, "id"), created,
                      vend_argument_shown (item, "cog_version"));
    }
  vend_table_print (table);
  return true;
}

/* The version of the model `reference` whose id begins with `prefix`; free with g_free. */
static bool
find (VendClient *client, const char *reference, const char *model_path, const char *prefix,
      char **out_id, GError **error)
{
  g_autofree char *path = g_strconcat (model_path, "/versions", NULL);
  g_autoptr (GString) found = g_string_new (NULL);
  g_autofree char *id = NULL;
  json_auto_t *page = NULL;
  guint n_found = 0;
  size_t i;
  json_t *item;
  if (!vend_client_list (client, path, 0, &page, error))
    return false;
  json_array_foreach (json_object_get (page, "results"), i, item)
    {
      const char *one = vend_argument_shown (item, "id");
      if (!g_str_has_prefix (one, prefix))
        continue;
      if (n_found++ == 0)
        id = g_strdup (one);
      if (n_found <= MAX_CANDIDATES)
        g_string_append_printf (found, "%s%s", n_found > 1 ? ", " : "", one);
      else if (n_found == MAX_CANDIDATES + 1)
        g_string_append (found, ", …");
    }
  if (n_found == 0)
    return vend_fail (error, VEND_ERROR_NOT_FOUND,
                      "there is no version of %s whose id begins with '%s'", reference, prefix);
  if (n_found > 1)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the ids of %u versions of %s begin with '%s': %s; give more of the id",
                      n_found, reference, prefix, found->str);
  *out_id = g_steal_pointer (&id);
  return true;
}

typedef struct
{
  const char *name;
  const json_t *schema;
  int64_t order;
} Field;

static int
compare_order (const void *a, const void *b)
{
  int64_t left = ((const Field *) a)->order, right = ((const Field *) b)->order;
  return (left > right) - (left < right);
}

static bool
is_required (const json_t *input, const char *name)
{
  size_t i;
  json_t *one;
  json_array_foreach (json_object_get (input, "required"), i, one)
    if (g_strcmp0 (json_string_value (one), name) == 0)
      return true;
  return false;
}

static void
print_inputs (const json_t *openapi)
{
  static const char *const columns[] = { "INPUT", "TYPE", "DEFAULT", "DESCRIPTION", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  g_autoptr (GArray) fields = g_array_new (FALSE, FALSE, sizeof (Field));
  const json_t *input = vend_schema_resolve (openapi, vend_schema_component (openapi, "Input"));
  const char *name;
  json_t *schema;

  json_object_foreach (json_object_get (input, "properties"), name, schema)
    {
      Field field = { name, schema, vend_json_int (schema, "x-order", G_MAXINT) };
      g_array_append_val (fields, field);
    }
  qsort (fields->data, fields->len, sizeof (Field), compare_order);
  for (guint i = 0; i < fields->len; i++)
    {
      const Field *field = &g_array_index (fields, Field, i);
      const json_t *fallback = json_object_get (field->schema, "default");
      g_autofree char *type = vend_schema_type_text (openapi, field->schema);
      g_autofree char *shown = fallback != NULL                   ? vend_json_text (fallback)
                               : is_required (input, field->name) ? g_strdup ("required")
                                                                  : NULL;
      vend_table_add (table, field->name, type, shown,
                      vend_argument_shown (field->schema, "description"));
    }
  g_autofree char *output
      = vend_schema_type_text (openapi, vend_schema_component (openapi, "Output"));
  vend_terminal_print ("%-12s %s\n\n", "output", output);
  vend_table_print (table);
}

static bool
show (VendClient *client, const VendConnection *connection, const char *path, GError **error)
{
  json_auto_t *version = NULL;
  if (!vend_client_call (client, "GET", path, NULL, &version, error))
    return false;
  if (connection->json)
    {
      vend_terminal_json (version);
      return true;
    }
  g_autofree char *created = vend_argument_shown_time (version, "created_at");
  vend_terminal_print ("%-12s %s\n%-12s %s\n%-12s %s\n", "id", vend_argument_shown (version, "id"),
                       "created", created, "cog", vend_argument_shown (version, "cog_version"));
  print_inputs (json_object_get (version, "openapi_schema"));
  return true;
}

static bool
versions (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autofree char *model_path = NULL;
  g_autoptr (VendClient) client = NULL;
  const VendOptions options = {
    .command = "versions",
    .usage = "owner/name [show ID | delete ID]",
    .summary = "Lists the versions of a model, newest first, or shows or deletes one.",
    .details = "ID is the id of a version or its beginning, at least 8 characters.",
    .connection = &connection,
    .least = 1,
    .most = 3,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_argument_model_path (words[0], &model_path, error))
    return false;

  bool is_delete = g_strcmp0 (words[1], "delete") == 0;
  if (words[1] != NULL && !is_delete && strcmp (words[1], "show") != 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "expected 'show ID' or 'delete ID', got '%s'; see 'vend versions --help'",
                      words[1]);
  if (words[1] != NULL && words[2] == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "%s: expected the id of a version", words[1]);
  if (words[1] != NULL && !vend_argument_version_prefix_check (words[2], error))
    return false;
  if (!vend_client_new (&connection, &client, error))
    return false;
  if (words[1] == NULL)
    return list (client, &connection, model_path, error);

  g_autofree char *id = NULL;
  if (vend_is_sha256_hex (words[2]))
    id = g_strdup (words[2]);
  else if (!find (client, words[0], model_path, words[2], &id, error))
    return false;
  g_autofree char *path = g_strdup_printf ("%s/versions/%s", model_path, id);
  if (!is_delete)
    return show (client, &connection, path, error);
  if (!vend_client_call (client, "DELETE", path, NULL, NULL, error))
    return false;
  vend_terminal_note ("deleted");
  return true;
}

int
vend_cmd_versions (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = versions (argc, argv, &error);
  return vend_exit_code (good, error);
}
