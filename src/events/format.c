/* Server-sent events. No field is empty, so that two line ends in a row are always the end of an
 * event. */
#include "events/format.h"
#include <string.h>

/* The official Python client ends a line also at VT, FF, FS, GS, RS, NEL, LS and PS, which cannot
 * be escaped, and loses the rest of the line. So an event ends after such a character: joined texts
 * are complete for all other clients, and that client loses the one character. Returns its size, or
 * 0. */
static gsize
ends_line_somewhere (const char *at)
{
  const guchar *c = (const guchar *) at;
  if (c[0] == 0x0b || c[0] == 0x0c || (c[0] >= 0x1c && c[0] <= 0x1e))
    return 1;
  if (c[0] == 0xc2 && c[1] == 0x85)
    return 2;
  if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9))
    return 3;
  return 0;
}

static void
begin (GString *to, const char *event, int64_t created_s, guint64 *n)
{
  /* The id goes before the data: that client takes the rest of a lost line for a new event. */
  g_string_append (to, "event: ");
  g_string_append (to, event);
  g_string_append_printf (to, "\nid: %" G_GINT64_FORMAT ":%" G_GUINT64_FORMAT "\ndata: ", created_s,
                          ++*n);
}

static void
append_text (GString *to, int64_t created_s, guint64 *n, const char *text)
{
  begin (to, "output", created_s, n);
  const char *start = text;
  for (const char *at = text; *at != '\0';)
    {
      const gsize end = ends_line_somewhere (at);
      if (end > 0 && at[end] != '\0')
        {
          g_string_append_len (to, start, at + end - start);
          g_string_append (to, "\n\n");
          begin (to, "output", created_s, n);
          start = at += end;
        }
      else if (*at == '\n' || *at == '\r')
        {
          g_string_append_len (to, start, at - start);
          g_string_append (to, "\ndata: ");
          at += at[0] == '\r' && at[1] == '\n' ? 2 : 1;
          start = at;
        }
      else
        at++;
    }
  g_string_append (to, start);
  g_string_append (to, "\n\n");
}

/* JSON is written on one line. Characters that some client takes for a line end are escaped; they
 * occur in strings only. */
static void
append_json (GString *to, const json_t *value)
{
  g_autofree char *text = vend_json_text (value);
  const char *start = text;
  for (const char *at = text; *at != '\0';)
    {
      const gsize end = ends_line_somewhere (at);
      if (end == 0)
        {
          at++;
          continue;
        }
      g_string_append_len (to, start, at - start);
      g_string_append_printf (to, "\\u%04x", g_utf8_get_char (at));
      start = at += end;
    }
  g_string_append (to, start);
  g_string_append (to, "\n\n");
}

void
vend_event_output (GString *to, int64_t created_s, guint64 *n, const json_t *value)
{
  if (vend_json_is_string (value))
    {
      append_text (to, created_s, n, json_string_value (value));
      return;
    }
  begin (to, "output", created_s, n);
  append_json (to, value);
}

void
vend_event_error (GString *to, int64_t created_s, guint64 *n, const char *detail)
{
  json_auto_t *body = json_object ();
  vend_json_set_string (body, "detail", detail);
  begin (to, "error", created_s, n);
  append_json (to, body);
}

void
vend_event_done (GString *to, int64_t created_s, guint64 *n, const char *reason)
{
  json_auto_t *body = json_object ();
  if (reason != NULL)
    vend_json_set_string (body, "reason", reason);
  begin (to, "done", created_s, n);
  append_json (to, body);
}

guint64
vend_event_number (const char *id, int64_t created_s)
{
  const char *colon = id != NULL ? strchr (id, ':') : NULL;
  gint64 seconds = 0;
  guint64 n = 0;
  if (colon == NULL)
    return 0;
  g_autofree char *first = g_strndup (id, (gsize) (colon - id));
  if (!g_ascii_string_to_signed (first, 10, 0, G_MAXINT64, &seconds, NULL) || seconds != created_s
      || !g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT64, &n, NULL))
    return 0;
  return n;
}
