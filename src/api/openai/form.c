/* Forms of OpenAI's endpoints as objects: from then on they are requests like those in JSON. */
#include "api/openai/form.h"
#include "base/error.h"
#include "base/fd.h"
#include "files/file-name.h"
#include <string.h>

#define LIST_MARK "[]"

/* A type that may stand in a data: URI: parts say what they like. */
static const char *
type_of (const VendPart *part)
{
  const char *type = part->content_type;
  bool is_plain = type != NULL && strchr (type, '/') != NULL;
  for (const char *c = type; is_plain && *c != '\0'; c++)
    is_plain = g_ascii_isalnum (*c) || strchr ("/.+-", *c) != NULL;
  if (is_plain && strcmp (type, "application/octet-stream") != 0)
    return type;
  return part->filename != NULL ? vend_file_type (part->filename) : "application/octet-stream";
}

static json_t *
uri_of (const VendPart *part, const char *bytes, gsize size)
{
  g_autofree char *coded = g_base64_encode ((const guchar *) bytes, size);
  g_autofree char *uri = g_strconcat ("data:", type_of (part), ";base64,", coded, NULL);
  return json_string (uri);
}

static json_t *
value_of (const VendPart *part, GError **error)
{
  g_autofree char *bytes = NULL;
  gsize size = 0;
  if (part->path == NULL)
    return part->filename != NULL ? uri_of (part, part->text, part->text_size)
                                  : vend_json_string_new (part->text, part->text_size);
  if (!vend_file_read (part->path, (gsize) part->size, &bytes, &size, error))
    return NULL;
  return uri_of (part, bytes, size);
}

static void
add (json_t *object, const char *name, bool is_list, json_t *take)
{
  json_t *before = json_object_get (object, name);
  if (json_is_array (before))
    json_array_append_new (before, take);
  else if (before != NULL)
    json_object_set_new (object, name, json_pack ("[O,o]", before, take));
  else
    json_object_set_new (object, name, is_list ? json_pack ("[o]", take) : take);
}

bool
vend_api_openai_form (VendCall *call, json_t **out, GError **error)
{
  json_auto_t *object = json_object ();
  for (gsize i = 0; i < vend_call_n_parts (call); i++)
    {
      const VendPart *part = vend_call_part_at (call, i);
      const bool is_list = g_str_has_suffix (part->name, LIST_MARK);
      g_autofree char *name
          = g_strndup (part->name, strlen (part->name) - (is_list ? strlen (LIST_MARK) : 0));
      json_t *value = value_of (part, error);
      if (value == NULL)
        return false;
      if (!g_utf8_validate (name, -1, NULL))
        {
          json_decref (value);
          return vend_fail (error, VEND_ERROR_BAD_REQUEST, "a field of the form has no valid name");
        }
      add (object, name, is_list, value);
    }
  *out = g_steal_pointer (&object);
  return true;
}
