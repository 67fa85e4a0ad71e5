/* Outputs of models, shown or saved. Main thread only. */
#include "cli/terminal/outputs.h"
#include "cli/arguments/inputs.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_SCHEMA_DEPTH 12
#define OUTPUT_PATH "/v1/outputs/"

struct VendOutputWriter
{
  const VendSave *save;
  bool is_iterator;
  bool is_concatenated;
  bool has_files;
  bool is_downloading;
  size_t n_shown;
  bool is_line_open;
};

/* Whether a schema has a file anywhere in it. */
static bool
schema_has_files (const json_t *openapi, const json_t *schema, guint depth)
{
  schema = vend_schema_resolve (openapi, schema);
  if (schema == NULL || depth > MAX_SCHEMA_DEPTH)
    return false;
  if (g_strcmp0 (vend_json_string (schema, "format"), "uri") == 0)
    return true;

  size_t i;
  const char *name;
  json_t *part;
  json_array_foreach (json_object_get (schema, "anyOf"), i, part)
    if (schema_has_files (openapi, part, depth + 1))
      return true;
  json_object_foreach (json_object_get (schema, "properties"), name, part)
    if (schema_has_files (openapi, part, depth + 1))
      return true;
  return schema_has_files (openapi, json_object_get (schema, "items"), depth + 1)
         || schema_has_files (openapi, json_object_get (schema, "additionalProperties"), depth + 1);
}

VendOutputWriter *
vend_output_writer_new (const json_t *openapi, const VendSave *save)
{
  VendOutputWriter *writer = g_new0 (VendOutputWriter, 1);
  const json_t *schema = vend_schema_resolve (openapi, vend_schema_component (openapi, "Output"));

  writer->save = save;
  writer->has_files = schema_has_files (openapi, schema, 0);
  writer->is_downloading = save->target != NULL || vend_terminal_is (STDOUT_FILENO);
  writer->is_iterator = g_strcmp0 (vend_json_string (schema, "x-cog-array-type"), "iterator") == 0;
  writer->is_concatenated
      = g_strcmp0 (vend_json_string (schema, "x-cog-array-display"), "concatenate") == 0;
  return writer;
}

void
vend_output_writer_free (VendOutputWriter *writer)
{
  if (writer == NULL)
    return;
  vend_output_writer_end_line (writer);
  g_free (writer);
}

static bool
is_file_url (const VendOutputWriter *writer, const json_t *value)
{
  const char *text = json_string_value (value);
  if (text == NULL || !(g_str_has_prefix (text, "http://") || g_str_has_prefix (text, "https://")))
    return false;
  return writer->has_files || strstr (text, OUTPUT_PATH) != NULL;
}

static void
collect_urls (const VendOutputWriter *writer, const json_t *value, GPtrArray *urls)
{
  size_t i;
  const char *name;
  json_t *part;
  if (is_file_url (writer, value))
    g_ptr_array_add (urls, g_strdup (json_string_value (value)));
  json_array_foreach (value, i, part)
    collect_urls (writer, part, urls);
  json_object_foreach ((json_t *) value, name, part)
    collect_urls (writer, part, urls);
}

/* A copy in which the URLs, in the order of collect_urls, are replaced by `paths`. */
static json_t *
with_paths (const VendOutputWriter *writer, const json_t *value, const GPtrArray *paths,
            guint *inout_next)
{
  size_t i;
  const char *name;
  json_t *part;
  json_t *copy = NULL;
  if (is_file_url (writer, value))
    {
      const char *path = g_ptr_array_index (paths, (*inout_next)++);
      return vend_json_string_new (path, strlen (path));
    }
  if (json_is_array (value))
    {
      copy = json_array ();
      json_array_foreach (value, i, part)
        json_array_append_new (copy, with_paths (writer, part, paths, inout_next));
      return copy;
    }
  if (json_is_object (value))
    {
      copy = json_object ();
      json_object_foreach ((json_t *) value, name, part)
        json_object_set_new (copy, name, with_paths (writer, part, paths, inout_next));
      return copy;
    }
  return json_incref ((json_t *) value);
}

/* Text is shown as it is, everything else as JSON on one line. */
static char *
element_text (const json_t *element)
{
  return vend_json_is_string (element) ? g_strdup (json_string_value (element))
                                       : vend_json_text (element);
}

static void
show_new_elements (VendOutputWriter *writer, const json_t *output)
{
  size_t n = json_array_size (output);
  for (; writer->n_shown < n; writer->n_shown++)
    {
      g_autofree char *text = element_text (json_array_get (output, writer->n_shown));
      gsize length = strlen (text);
      vend_terminal_write (stdout, text, strlen (text));
      if (!writer->is_concatenated)
        vend_terminal_print ("\n");
      else if (length > 0)
        writer->is_line_open = text[length - 1] != '\n';
    }
  fflush (stdout);
}

void
vend_output_writer_partial (VendOutputWriter *writer, const json_t *output)
{
  if (!writer->is_iterator || writer->has_files || writer->save->target != NULL
      || json_array_size (output) <= writer->n_shown)
    return;
  if (writer->save->progress != NULL)
    vend_progress_clear (writer->save->progress);
  show_new_elements (writer, output);
}

bool
vend_output_writer_is_line_open (const VendOutputWriter *writer)
{
  return writer->is_line_open;
}

void
vend_output_writer_end_line (VendOutputWriter *writer)
{
  if (writer->is_line_open)
    vend_terminal_print ("\n");
  writer->is_line_open = false;
}

static bool
is_list_of_text (const json_t *output)
{
  size_t i;
  json_t *part;
  if (!json_is_array (output))
    return false;
  json_array_foreach (output, i, part)
    if (!vend_json_is_string (part))
      return false;
  return true;
}

/* The whole output as text, ending with a newline unless it is empty. Free with g_free. */
static char *
output_text (const VendOutputWriter *writer, const json_t *output)
{
  g_autoptr (GString) text = g_string_new (NULL);
  size_t i;
  json_t *part;

  if (vend_json_is_string (output))
    g_string_append (text, json_string_value (output));
  else if (writer->is_concatenated || is_list_of_text (output))
    json_array_foreach (output, i, part)
      {
        g_autofree char *one = element_text (part);
        g_string_append_printf (text, "%s%s", i > 0 && !writer->is_concatenated ? "\n" : "", one);
      }
  else if (output != NULL && !json_is_null (output))
    {
      g_autofree char *json = vend_json_text_pretty (output);
      g_string_append (text, json);
    }
  if (text->len > 0 && text->str[text->len - 1] != '\n')
    g_string_append_c (text, '\n');
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static bool
download_all (const VendOutputWriter *writer, VendClient *client, const GPtrArray *urls,
              GPtrArray *paths, GError **error)
{
  for (guint i = 0; i < urls->len; i++)
    {
      char *path = NULL;
      if (!vend_save_url (writer->save, client, g_ptr_array_index (urls, i), i, urls->len, &path,
                          error))
        return false;
      g_ptr_array_add (paths, path);
    }
  return true;
}

bool
vend_output_writer_finish (VendOutputWriter *writer, VendClient *client, const json_t *output,
                           bool is_quiet, GError **error)
{
  g_autoptr (GPtrArray) urls = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  guint next = 0;

  if (writer->is_downloading && !(is_quiet && writer->save->target == NULL))
    collect_urls (writer, output, urls);
  if (!download_all (writer, client, urls, paths, error))
    return false;

  if (urls->len == 0 && writer->save->target != NULL)
    {
      g_autofree char *text = output_text (writer, output);
      return vend_save_text (writer->save, text, error);
    }
  if (is_quiet)
    return true;
  if (writer->n_shown > 0)
    {
      vend_output_writer_partial (writer, output);
      vend_output_writer_end_line (writer);
      return true;
    }
  json_auto_t *shown
      = urls->len > 0 ? with_paths (writer, output, paths, &next) : json_incref ((json_t *) output);
  g_autofree char *text = output_text (writer, shown);
  vend_terminal_write (stdout, text, strlen (text));
  return true;
}
