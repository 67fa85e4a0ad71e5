/* The OpenAPI document of a model, from the embedded schema program. Blocking. */
#include "build/schema.h"
#include "base/error.h"
#include "base/fd.h"
#include "build/schema-import.h"
#include "build/schema-zip.h"
#include <string.h>

#define MAX_OUTPUT ((gsize) 8 * 1024 * 1024)

void
vend_schema_free (VendSchema *schema)
{
  if (schema == NULL)
    return;
  json_decref (schema->openapi);
  json_decref (schema->warnings);
  g_free (schema);
}

static char *
place_and_message (const json_t *problem)
{
  const char *file = vend_json_string (problem, "file");
  const char *message = vend_json_string (problem, "message");
  const int64_t line = vend_json_int (problem, "line", 0);
  if (message == NULL)
    message = "unknown problem";
  if (file == NULL || *file == '\0')
    return g_strdup (message);
  if (line <= 0)
    return g_strdup_printf ("%s: %s", file, message);
  return g_strdup_printf ("%s:%" G_GINT64_FORMAT ": %s", file, line, message);
}

static bool
fail_with (const json_t *errors, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (size_t i = 0; i < json_array_size (errors); i++)
    {
      g_autofree char *line = place_and_message (json_array_get (errors, i));
      g_string_append_printf (text, "%s%s", i > 0 ? "\n" : "", line);
    }
  return vend_fail (error, VEND_ERROR_INVALID, "%s",
                    text->len > 0 ? text->str : "the schema program refused the source");
}

/* Its exit status says no more than its output, which is there for both. */
static bool
run_program (const VendBuildContext *context, const char *const *argv, json_t **out, GError **error)
{
  const VendChildOptions options = { .argv = argv,
                                     .env = (const char *const *) context->env,
                                     .cwd = context->work_dir,
                                     .on_line = context->log,
                                     .data = context->log_data,
                                     .max_output = MAX_OUTPUT };
  g_autoptr (VendChild) child = NULL;
  bool ended = false;
  if (!context->start (context, &options, &child, error))
    return false;
  while (!ended)
    if (!vend_child_pump (child, -1, &ended, error))
      {
        g_prefix_error (error, "schema program: ");
        return false;
      }
  const char *text = vend_child_output (child);
  g_autofree char *failure = vend_child_dup_failure (child);
  g_autoptr (GError) problem = NULL;
  if (!vend_json_parse (text, strlen (text), out, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "the schema program %s: %s",
                      failure != NULL ? failure : "gave no document", problem->message);
  if (failure != NULL && !json_is_array (json_object_get (*out, "errors")))
    return vend_fail (error, VEND_ERROR_RUNNER, "the schema program %s", failure);
  return true;
}

/* For the model server every model streams: it then answers a stream request with all events. */
static bool
write_for_server (const VendBuildContext *context, const json_t *openapi, GError **error)
{
  json_auto_t *copy = json_deep_copy (openapi);
  json_t *post
      = json_object_get (json_object_get (json_object_get (copy, "paths"), "/predictions"), "post");
  if (post != NULL)
    vend_json_set_bool (post, "x-cog-streaming", true);
  g_autofree char *text = vend_json_text (copy);
  g_autofree char *dir = g_build_filename (context->source_dir, ".cog", NULL);
  g_autofree char *path = g_build_filename (dir, "openapi_schema.json", NULL);
  return vend_dir_ensure (dir, error) && vend_file_replace (path, text, strlen (text), 0644, error);
}

static bool
read_reply (const VendBuildContext *context, const json_t *reply, VendSchema **out, GError **error)
{
  const json_t *errors = json_object_get (reply, "errors");
  json_t *openapi = json_object_get (reply, "openapi");
  if (errors != NULL)
    return fail_with (errors, error);
  if (!json_is_object (openapi))
    return vend_fail (error, VEND_ERROR_RUNNER, "the schema program gave no document");
  g_autoptr (VendSchema) schema = g_new0 (VendSchema, 1);
  schema->openapi = json_incref (openapi);
  schema->is_async = vend_json_bool (reply, "async", false);
  schema->is_streaming = vend_json_bool (reply, "streaming", false);
  schema->concurrency = (int) CLAMP (vend_json_int (reply, "concurrency", 0), 0, G_MAXINT);
  schema->warnings = json_array ();
  const json_t *warnings = json_object_get (reply, "warnings");
  for (size_t i = 0; i < json_array_size (warnings); i++)
    {
      g_autofree char *line = place_and_message (json_array_get (warnings, i));
      vend_build_say (context, "warning: %s", line);
      json_array_append_new (schema->warnings, vend_json_string_new (line, strlen (line)));
    }
  *out = g_steal_pointer (&schema);
  return true;
}

static bool
ask (const VendBuildContext *context, const char *python, const char *program,
     const VendCogYaml *yaml, const char *imported, json_t **out, GError **error)
{
  g_autofree char *concurrency = g_strdup_printf ("%d", yaml->concurrency);
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  const char *const fixed[] = { python, "-I", program, context->source_dir };
  for (gsize i = 0; i < G_N_ELEMENTS (fixed); i++)
    g_ptr_array_add (argv, (char *) fixed[i]);
  const struct
  {
    const char *option;
    const char *value;
  } extra[] = { { "--predict", yaml->predict },
                { "--train", yaml->train },
                { "--concurrency", yaml->concurrency > 0 ? concurrency : NULL },
                { "--imported", imported } };
  for (gsize i = 0; i < G_N_ELEMENTS (extra); i++)
    if (extra[i].value != NULL)
      {
        g_ptr_array_add (argv, (char *) extra[i].option);
        g_ptr_array_add (argv, (char *) extra[i].value);
      }
  g_ptr_array_add (argv, NULL);
  return run_program (context, (const char *const *) argv->pdata, out, error);
}

static void
say_why (const VendBuildContext *context, const json_t *computed)
{
  for (size_t i = 0; i < json_array_size (computed); i++)
    {
      const json_t *item = json_array_get (computed, i);
      vend_build_say (context,
                      "schema: read by importing %s, since %s computed at line %" G_GINT64_FORMAT,
                      vend_json_string (item, "file"), vend_json_string (item, "what"),
                      vend_json_int (item, "line", 0));
    }
}

/* Where the source alone makes no document, the failure is the build's; where it lacks a default
 * only, the document goes without. */
static bool
without_import (const VendBuildContext *context, json_t *reply, const GError *problem,
                GError **error)
{
  const json_t *first = json_array_get (json_object_get (reply, "computed"), 0);
  const json_t *errors = json_object_get (reply, "errors");
  g_autoptr (GError) mistakes = NULL;
  if (errors != NULL && !fail_with (errors, &mistakes))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "%s\n"
                      "importing %s to compute the value failed: %s",
                      mistakes->message, vend_json_string (first, "file"), problem->message);
  vend_build_say (context, "warning: importing %s failed, so its computed values are not shown: %s",
                  vend_json_string (first, "file"), problem->message);
  return true;
}

/* Replaces `*reply` by what is known after an import, when the source leaves something open. */
static bool
add_computed (const VendBuildContext *context, const char *python, const char *program,
              const VendCogYaml *yaml, json_t **reply, GError **error)
{
  const json_t *computed = json_object_get (*reply, "computed");
  g_autofree char *imported = NULL;
  g_autoptr (GError) problem = NULL;
  json_t *better = NULL;
  if (json_array_size (computed) == 0)
    return true;
  say_why (context, computed);
  if (!vend_schema_import (context, python, program, yaml, &imported, &problem))
    return without_import (context, *reply, problem, error);
  if (!ask (context, python, program, yaml, imported, &better, error))
    return false;
  json_decref (*reply);
  *reply = better;
  return true;
}

bool
vend_schema_make (const VendBuildContext *context, const char *python, const VendCogYaml *yaml,
                  VendSchema **out, GError **error)
{
  g_autofree char *program = g_build_filename (context->work_dir, "schema.pyz", NULL);
  g_autoptr (VendSchema) schema = NULL;
  json_auto_t *reply = NULL;
  if (!vend_file_replace (program, vend_schema_zip, vend_schema_zip_size, 0600, error)
      || !ask (context, python, program, yaml, NULL, &reply, error)
      || !add_computed (context, python, program, yaml, &reply, error)
      || !read_reply (context, reply, &schema, error)
      || !write_for_server (context, schema->openapi, error))
    return false;
  *out = g_steal_pointer (&schema);
  return true;
}
