/* The XML of S3 answers, by GLib's parser of a subset that S3 stays within. */
#include "files/s3-text.h"
#include "base/error.h"
#include <string.h>

typedef struct
{
  const char *name;
  VendS3Entry entry;
  void *data;
  GHashTable *texts; /* of the entry that is open; or NULL */
  GString *text;
} Parse;

static void
on_start (GMarkupParseContext *context, const char *name, const char **keys, const char **values,
          void *data, GError **error)
{
  Parse *parse = data;
  g_string_truncate (parse->text, 0);
  if (parse->texts == NULL && strcmp (name, parse->name) == 0)
    parse->texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

static void
on_end (GMarkupParseContext *context, const char *name, void *data, GError **error)
{
  Parse *parse = data;
  if (parse->texts == NULL)
    return;
  if (!g_hash_table_contains (parse->texts, name))
    g_hash_table_insert (parse->texts, g_strdup (name), g_strdup (parse->text->str));
  if (strcmp (name, parse->name) != 0)
    return;
  parse->entry (parse->texts, parse->data);
  g_clear_pointer (&parse->texts, g_hash_table_unref);
}

static void
on_text (GMarkupParseContext *context, const char *text, gsize size, void *data, GError **error)
{
  g_string_append_len (((Parse *) data)->text, text, (gssize) size);
}

bool
vend_s3_entries (const char *xml, const char *name, VendS3Entry entry, void *data, GError **error)
{
  static const GMarkupParser parser = { on_start, on_end, on_text, NULL, NULL };
  Parse parse = { name, entry, data, NULL, g_string_new (NULL) };
  g_autoptr (GError) problem = NULL;
  GMarkupParseContext *context = g_markup_parse_context_new (&parser, 0, &parse, NULL);
  const bool good = g_markup_parse_context_parse (context, xml, -1, &problem)
                    && g_markup_parse_context_end_parse (context, &problem);
  g_markup_parse_context_free (context);
  g_clear_pointer (&parse.texts, g_hash_table_unref);
  g_string_free (parse.text, TRUE);
  return good
         || vend_fail (error, VEND_ERROR_INVALID, "the answer is no XML: %s", problem->message);
}

typedef struct
{
  const char *name;
  char *text;
} First;

static void
take_first (GHashTable *texts, void *data)
{
  First *first = data;
  if (first->text == NULL)
    first->text = g_strdup (g_hash_table_lookup (texts, first->name));
}

char *
vend_s3_text_of (const char *xml, const char *name)
{
  First first = { name, NULL };
  if (!vend_s3_entries (xml, name, take_first, &first, NULL))
    g_clear_pointer (&first.text, g_free);
  return first.text;
}
