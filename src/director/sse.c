/* Reads server-sent events as they arrive, in bounded memory. Pure. */
#include "director/sse.h"
#include "base/error.h"
#include "director/json-cut.h"
#include <string.h>

#define SHRINK_ABOVE ((gsize) 1 << 20)

typedef enum
{
  PART_FIELD, /* the name before the colon */
  PART_SPACE, /* one space after it does not belong to the value */
  PART_VALUE,
} Part;

typedef enum
{
  FIELD_OTHER,
  FIELD_EVENT,
  FIELD_DATA,
} Field;

struct VendSse
{
  gsize limit;
  VendSseCut cuts[VEND_SSE_MAX_CUTS];
  VendSseEvent on_event;
  void *context;
  Part part;
  Field field;
  bool has_data;
  bool ignored; /* the event that is being read */
  bool after_cr;
  VendJsonCut cut;
  char name[8]; /* of the field; longer ones are unknown */
  gsize name_length;
  GString *event;
  GString *data;
};

VendSse *
vend_sse_new (gsize limit, const VendSseCut *cuts, VendSseEvent on_event, void *context)
{
  VendSse *sse = g_new0 (VendSse, 1);
  sse->limit = limit;
  for (gsize i = 0; cuts != NULL && cuts[i].event != NULL; i++)
    {
      g_assert (i < VEND_SSE_MAX_CUTS);
      sse->cuts[i] = cuts[i];
    }
  sse->on_event = on_event;
  sse->context = context;
  sse->event = g_string_new (NULL);
  sse->data = g_string_new (NULL);
  return sse;
}

void
vend_sse_free (VendSse *sse)
{
  if (sse == NULL)
    return;
  g_string_free (sse->event, TRUE);
  g_string_free (sse->data, TRUE);
  g_free (sse);
}

static bool
end_event (VendSse *sse, GError **error)
{
  bool wanted = true;
  if (sse->has_data && !sse->ignored)
    wanted = sse->on_event (sse->event->len > 0 ? sse->event->str : "message", sse->data->str,
                            sse->data->len, sse->context);
  sse->has_data = false;
  sse->ignored = false;
  g_string_truncate (sse->event, 0);
  if (sse->data->allocated_len > SHRINK_ABOVE)
    {
      g_string_free (sse->data, TRUE);
      sse->data = g_string_new (NULL);
    }
  else
    g_string_truncate (sse->data, 0);
  return wanted || vend_fail (error, VEND_ERROR_CANCELED, "event stream: not wanted any more");
}

static void
begin_data (VendSse *sse)
{
  if (sse->has_data)
    {
      if (!sse->ignored)
        g_string_append_c (sse->data, '\n');
      return;
    }
  sse->has_data = true;
  vend_json_cut_start (&sse->cut, NULL, 0);
  for (gsize i = 0; i < VEND_SSE_MAX_CUTS && sse->cuts[i].event != NULL; i++)
    if (strcmp (sse->cuts[i].event, sse->event->str) == 0)
      {
        sse->ignored = sse->cuts[i].member == NULL;
        vend_json_cut_start (&sse->cut, sse->cuts[i].member, sse->cuts[i].keep);
      }
}

static bool
name_is (const VendSse *sse, const char *name)
{
  return sse->name_length == strlen (name) && memcmp (sse->name, name, sse->name_length) == 0;
}

static void
end_field_name (VendSse *sse)
{
  sse->field = FIELD_OTHER;
  if (name_is (sse, "event"))
    {
      sse->field = FIELD_EVENT;
      g_string_truncate (sse->event, 0);
    }
  else if (name_is (sse, "data"))
    {
      sse->field = FIELD_DATA;
      begin_data (sse);
    }
}

static bool
check_limits (const VendSse *sse, GError **error)
{
  if (sse->data->len > sse->limit)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "event '%s' is larger than %" G_GSIZE_FORMAT " bytes", sse->event->str,
                      sse->limit);
  if (sse->event->len > VEND_SSE_NAME_MAX)
    return vend_fail (error, VEND_ERROR_TOO_LARGE, "event name is longer than %d bytes",
                      VEND_SSE_NAME_MAX);
  return true;
}

static bool
end_line (VendSse *sse, GError **error)
{
  const bool empty = sse->part == PART_FIELD && sse->name_length == 0;
  if (sse->part == PART_FIELD && !empty)
    end_field_name (sse);
  sse->part = PART_FIELD;
  sse->field = FIELD_OTHER;
  sse->name_length = 0;
  /* Lines without a value grow the data too. */
  return empty ? end_event (sse, error) : check_limits (sse, error);
}

static void
field_byte (VendSse *sse, char c)
{
  if (c == ':')
    {
      end_field_name (sse);
      sse->part = PART_SPACE;
      return;
    }
  if (sse->name_length < sizeof sse->name)
    sse->name[sse->name_length++] = c;
}

static bool
value_bytes (VendSse *sse, const char *data, gsize size, GError **error)
{
  if (sse->field == FIELD_DATA && !sse->ignored)
    vend_json_cut_feed (&sse->cut, data, size, sse->data);
  else if (sse->field == FIELD_EVENT)
    g_string_append_len (sse->event, data, (gssize) size);
  return check_limits (sse, error);
}

static gsize
line_rest (const char *data, gsize size)
{
  const char *newline = memchr (data, '\n', size);
  gsize length = newline != NULL ? (gsize) (newline - data) : size;
  const char *cr = memchr (data, '\r', length);
  return cr != NULL ? (gsize) (cr - data) : length;
}

bool
vend_sse_feed (VendSse *sse, const char *data, gsize size, GError **error)
{
  for (gsize i = 0; i < size;)
    {
      const char c = data[i];
      const bool second = sse->after_cr && c == '\n';
      sse->after_cr = c == '\r';
      if (second)
        i++;
      else if (c == '\n' || c == '\r')
        {
          if (!end_line (sse, error))
            return false;
          i++;
        }
      else if (sse->part == PART_FIELD)
        field_byte (sse, data[i++]);
      else
        {
          gsize skip = sse->part == PART_SPACE && c == ' ' ? 1 : 0;
          sse->part = PART_VALUE;
          gsize length = line_rest (data + i, size - i);
          if (!value_bytes (sse, data + i + skip, length - skip, error))
            return false;
          i += length;
        }
    }
  return true;
}
