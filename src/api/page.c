/* Pages of lists: cursors in, list objects out. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include <string.h>

#define MAX_CURSOR 256

void
vend_api_cursor_clear (ApiCursor *cursor)
{
  g_clear_pointer (&cursor->after_id, g_free);
}

bool
vend_api_cursor_read (const char *text, ApiCursor *out, GError **error)
{
  if (text == NULL || *text == '\0')
    {
      *out = (ApiCursor){ .first = true };
      return true;
    }
  gsize size = 0;
  g_autofree char *standard = g_strdelimit (g_strdelimit (g_strdup (text), "-", '+'), "_", '/');
  g_autofree guchar *raw = strlen (text) <= MAX_CURSOR ? g_base64_decode (standard, &size) : NULL;
  g_autofree char *plain = raw != NULL ? g_strndup ((const char *) raw, size) : g_strdup ("");
  g_auto (GStrv) parts = g_strsplit (plain, ".", 2);
  gint64 after_us = 0;
  if (g_strv_length (parts) != 2 || strlen (plain) != size || !g_utf8_validate (plain, -1, NULL)
      || !g_ascii_string_to_signed (parts[0], 10, 0, G_MAXINT64, &after_us, NULL))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                      "cursor: expected the cursor of a 'next' URL of this server");
  *out = (ApiCursor){ .after_us = after_us, .after_id = g_strdup (parts[1]) };
  return true;
}

bool
vend_api_cursor (VendCall *call, ApiCursor *out, GError **error)
{
  return vend_api_cursor_read (vend_call_query (call, "cursor"), out, error);
}

bool
vend_api_number_cursor (VendCall *call, int64_t *out_us, int64_t *out_id, GError **error)
{
  g_auto (ApiCursor) cursor = { 0 };
  if (!vend_api_cursor (call, &cursor, error))
    return false;
  *out_us = cursor.first ? G_MAXINT64 : cursor.after_us;
  *out_id = G_MAXINT64;
  return cursor.first || g_ascii_string_to_signed (cursor.after_id, 10, 0, G_MAXINT64, out_id, NULL)
         || vend_fail (error, VEND_ERROR_BAD_REQUEST,
                       "cursor: expected the cursor of a 'next' URL of this server");
}

bool
vend_api_query_time (VendCall *call, const char *name, int64_t *out_us, GError **error)
{
  const char *text = vend_call_query (call, name);
  if (text == NULL || vend_time_parse (text, out_us, error))
    return true;
  (*error)->code = VEND_ERROR_BAD_REQUEST;
  g_prefix_error (error, "%s: ", name);
  return false;
}

bool
vend_api_query_reference (VendCall *call, const char *parameter, const char **out, GError **error)
{
  g_autofree char *owner = NULL, *name = NULL, *version = NULL;
  *out = vend_call_query (call, parameter);
  if (*out == NULL
      || (vend_reference_parse (*out, &owner, &name, &version, NULL) && version == NULL))
    return true;
  return vend_fail (error, VEND_ERROR_BAD_REQUEST, "%s: expected owner/name, got '%.200s'",
                    parameter, *out);
}

char *
vend_api_cursor_text (int64_t last_us, const char *last_id)
{
  g_autofree char *plain = g_strdup_printf ("%" G_GINT64_FORMAT ".%s", last_us, last_id);
  g_autofree char *standard = g_base64_encode ((const guchar *) plain, strlen (plain));
  return g_strdelimit (g_strdelimit (g_steal_pointer (&standard), "+", '-'), "/", '_');
}

static char *
next_url (VendCall *call, int64_t last_us, const char *last_id, const char *const *keep)
{
  g_autofree char *cursor = vend_api_cursor_text (last_us, last_id);
  g_autofree char *escaped = g_uri_escape_string (cursor, NULL, FALSE);
  const char *path = vend_call_path (call);
  g_autoptr (GString) url = g_string_new (vend_call_origin (call));

  g_string_append_printf (url, "%s?cursor=%s", path, escaped);
  for (guint i = 0; keep != NULL && keep[i] != NULL; i++)
    {
      const char *value = vend_call_query (call, keep[i]);
      if (value == NULL)
        continue;
      g_autofree char *text = g_uri_escape_string (value, NULL, FALSE);
      g_string_append_printf (url, "&%s=%s", keep[i], text);
    }
  return g_string_free (g_steal_pointer (&url), FALSE);
}

GString *
vend_api_results (void)
{
  return g_string_new ("[");
}

void
vend_api_add_result (GString *results, json_t *result)
{
  if (results->len > 1)
    g_string_append_c (results, ',');
  vend_json_append_text (results, result);
  json_decref (result);
}

VendReply *
vend_api_page (VendCall *call, GString *results, bool more, int64_t last_us, const char *last_id,
               const char *const *keep)
{
  g_autofree char *next = more ? next_url (call, last_us, last_id, keep) : NULL;
  json_auto_t *value = next != NULL ? vend_json_string_new (next, strlen (next)) : json_null ();
  g_autoptr (GString) head = g_string_new ("{\"next\":");
  vend_json_append_text (head, value);
  g_string_append (head, ",\"previous\":null,\"results\":");
  g_string_prepend_len (results, head->str, (gssize) head->len);
  g_string_append (results, "]}");
  const gsize size = results->len;
  return vend_reply_json_text (200, g_string_free (results, FALSE), size);
}
