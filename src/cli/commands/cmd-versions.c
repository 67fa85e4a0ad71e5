/* `vend versions`: lists, shows, compares and deletes versions of a model. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/commands/version-id.h"
#include "cli/commands/versions-diff.h"
#include "cli/arguments/inputs.h"
#include "cli/terminal/table.h"
#include "base/error.h"
#include "base/hash.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What only the owner of the model may see; NULL for others, and from an older server. */
static bool
find_provenance (VendClient *client, const char *path, bool is_list, json_t **out, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (is_list ? vend_client_list (client, path, 0, out, &problem)
              : vend_client_call (client, "GET", path, NULL, out, &problem))
    return true;
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_FORBIDDEN)
      || g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

/* The versions that trainings made, by their ids. */
static bool
find_trained (VendClient *client, const char *model_path, json_t **out, GError **error)
{
  g_autofree char *path = g_strconcat (model_path, "/provenance", NULL);
  json_auto_t *page = NULL;
  json_auto_t *trained = json_object ();
  size_t i;
  json_t *item;
  if (!find_provenance (client, path, true, &page, error))
    return false;
  json_array_foreach (json_object_get (page, "results"), i, item)
    if (vend_json_string (item, "training") != NULL)
      json_object_set (trained, vend_argument_shown (item, "id"), item);
  *out = json_incref (trained);
  return true;
}

static bool
list (VendClient *client, const VendConnection *connection, const char *model_path, GError **error)
{
  static const char *const columns[] = { "VERSION", "CREATED", "COG", NULL };
  static const char *const trained_columns[]
      = { "VERSION", "CREATED", "COG", "BASE", "TRAINING", NULL };
  g_autofree char *path = g_strconcat (model_path, "/versions", NULL);
  json_auto_t *page = NULL, *trained = NULL;
  size_t i;
  json_t *item;

  if (!vend_client_list (client, path, 0, &page, error))
    return false;
  if (connection->json)
    {
      vend_terminal_json (page);
      return true;
    }
  if (!find_trained (client, model_path, &trained, error))
    return false;
  g_autoptr (VendTable) table
      = vend_table_new (json_object_size (trained) > 0 ? trained_columns : columns);
  json_array_foreach (json_object_get (page, "results"), i, item)
    {
      const char *id = vend_argument_shown (item, "id");
      const json_t *origin = json_object_get (trained, id);
      g_autofree char *created = vend_argument_shown_time (item, "created_at");
      const bool is_image = g_strcmp0 (vend_json_string (item, "runner"), "image") == 0;
      g_autofree char *cog = g_strconcat (vend_argument_shown (item, "cog_version"),
                                          is_image ? ", image" : "", NULL);
      vend_table_add (table, id, created, cog, vend_argument_shown (origin, "base"),
                      vend_argument_shown (origin, "training"));
    }
  vend_table_print (table);
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
      g_autofree char *shown = fallback != NULL ? vend_json_text (fallback)
                               : vend_schema_requires (input, field->name) ? g_strdup ("required")
                                                                           : NULL;
      vend_table_add (table, field->name, type, shown,
                      vend_argument_shown (field->schema, "description"));
    }
  g_autofree char *output
      = vend_schema_type_text (openapi, vend_schema_component (openapi, "Output"));
  vend_terminal_print ("%-12s %s\n\n", "output", output);
  vend_table_print (table);
}

static void
print_origin (const json_t *provenance)
{
  size_t i;
  json_t *weights;
  if (vend_json_string (provenance, "training") == NULL)
    return;
  vend_terminal_print ("%-12s %s\n%-12s %s\n", "base", vend_argument_shown (provenance, "base"),
                       "training", vend_argument_shown (provenance, "training"));
  json_array_foreach (json_object_get (provenance, "weights"), i, weights)
    {
      g_autofree char *name = vend_terminal_one_line (vend_argument_shown (weights, "name"));
      vend_terminal_print ("%-12s %s, %" G_GINT64_FORMAT " bytes, SHA-256 %s\n", "weights", name,
                           vend_json_int (weights, "size", 0),
                           vend_argument_shown (weights, "sha256"));
    }
}

static void
print_managed (const json_t *provenance)
{
  size_t i;
  json_t *set;
  json_array_foreach (json_object_get (provenance, "managed_weights"), i, set)
    {
      const int64_t files = vend_json_int (set, "files", 0);
      g_autofree char *source = vend_terminal_one_line (vend_argument_shown (set, "source"));
      vend_terminal_print ("%-12s %s at %s: %" G_GINT64_FORMAT " file%s, %" G_GINT64_FORMAT
                           " bytes, %s, from %s, digest %s\n",
                           "weights", vend_argument_shown (set, "name"),
                           vend_argument_shown (set, "target"), files, files == 1 ? "" : "s",
                           vend_json_int (set, "size", 0), vend_argument_shown (set, "state"),
                           source, vend_argument_shown (set, "digest"));
    }
}

static bool
show (VendClient *client, const VendConnection *connection, const char *path, GError **error)
{
  json_auto_t *version = NULL, *provenance = NULL;
  g_autofree char *provenance_path = g_strconcat (path, "/provenance", NULL);
  if (!vend_client_call (client, "GET", path, NULL, &version, error))
    return false;
  if (connection->json)
    {
      vend_terminal_json (version);
      return true;
    }
  if (!find_provenance (client, provenance_path, false, &provenance, error))
    return false;
  g_autofree char *created = vend_argument_shown_time (version, "created_at");
  vend_terminal_print ("%-12s %s\n%-12s %s\n%-12s %s\n", "id", vend_argument_shown (version, "id"),
                       "created", created, "cog", vend_argument_shown (version, "cog_version"));
  print_origin (provenance);
  print_managed (provenance);
  print_inputs (json_object_get (version, "openapi_schema"));
  return true;
}

/* ---- diff */

typedef struct
{
  char *path; /* of the version */
  json_t *version;
  json_t *provenance;
  json_t *source; /* or NULL */
} Side;

static void
side_clear (Side *side)
{
  g_free (side->path);
  json_decref (side->version);
  json_decref (side->provenance);
  json_decref (side->source);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Side, side_clear)

/* "owner/name" is the latest version; an id may be its beginning. */
static bool
fetch_side (VendClient *client, const char *text, Side *side, GError **error)
{
  if (!vend_version_path_find (client, text, &side->path, error))
    return false;
  g_autofree char *provenance = g_strconcat (side->path, "/provenance", NULL);
  return vend_client_call (client, "GET", side->path, NULL, &side->version, error)
         && vend_client_call (client, "GET", provenance, NULL, &side->provenance, error);
}

static bool
fetch_source (VendClient *client, Side *side, GError **error)
{
  g_autofree char *path = g_strconcat (side->path, "/source", NULL);
  return vend_client_call (client, "GET", path, NULL, &side->source, error);
}

static VendVersionFacts
facts_of (const Side *side)
{
  return (VendVersionFacts){ .provenance = side->provenance,
                             .openapi = json_object_get (side->version, "openapi_schema"),
                             .files = json_object_get (side->source, "files") };
}

/* Text as it is, other values as JSON. */
static char *
shown_value (const json_t *value)
{
  if (value == NULL || json_is_null (value))
    return g_strdup ("-");
  return vend_json_is_string (value) ? g_strdup (json_string_value (value))
                                     : vend_json_text (value);
}

static void
print_differences (const json_t *differences)
{
  static const char *const columns[] = { "WHAT", "NAME", "A", "B", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *item;
  json_array_foreach ((json_t *) differences, i, item)
    {
      g_autofree char *a = shown_value (json_object_get (item, "a"));
      g_autofree char *b = shown_value (json_object_get (item, "b"));
      vend_table_add (table, vend_argument_shown (item, "what"), vend_argument_shown (item, "name"),
                      a, b);
    }
  if (json_array_size (differences) > 0)
    vend_table_print (table);
  else
    vend_terminal_note ("the versions do not differ");
}

static bool
diff (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_auto (Side) a = { 0 }, b = { 0 };
  g_autoptr (VendClient) client = NULL;
  const VendOptions options = {
    .command = "versions diff",
    .usage = "owner/name[:ID] owner/name[:ID]",
    .summary = "Lists what differs between two versions of your models.",
    .details = "ID is the id of a version or its beginning, at least 8 characters; without one it "
               "is the latest version.",
    .connection = &connection,
    .least = 2,
    .most = 2,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_client_new (&connection, &client, error) || !fetch_side (client, words[0], &a, error)
      || !fetch_side (client, words[1], &b, error))
    return false;
  const char *from = vend_json_string (a.provenance, "source");
  const char *to = vend_json_string (b.provenance, "source");
  /* Without one the source is another account's. */
  if (from != NULL && to != NULL && strcmp (from, to) != 0
      && (!fetch_source (client, &a, error) || !fetch_source (client, &b, error)))
    return false;
  const VendVersionFacts facts_a = facts_of (&a), facts_b = facts_of (&b);
  json_auto_t *differences = vend_versions_diff (&facts_a, &facts_b);
  if (connection.json)
    vend_terminal_json (differences);
  else
    print_differences (differences);
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
    .summary = "Lists the versions of a model, newest first, or shows or deletes one.\n"
               "'vend versions diff A B' compares two.",
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
  if (!vend_version_id_find (client, words[0], words[2], &id, error))
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
  const bool is_diff = argc > 1 && strcmp (argv[1], "diff") == 0;
  bool good = is_diff ? diff (argc - 1, argv + 1, &error) : versions (argc, argv, &error);
  return vend_exit_code (good, error);
}
