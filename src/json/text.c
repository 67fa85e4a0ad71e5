/* Writes JSON values: the only writer for values of users. */
#include "json/json.h"
#include <string.h>

/* Writes to a string, appends to bytes, or only counts. */
typedef struct
{
  GString *text;
  GByteArray *bytes;
  gsize size; /* counted bytes */
  void (*real) (char buffer[VEND_JSON_NUMBER_SIZE], double number);
  bool is_pretty;
  guint depth;
} Writer;

static void append_value (Writer *writer, const json_t *value);

static void
append (Writer *writer, const char *bytes, gsize size)
{
  if (writer->text != NULL)
    g_string_append_len (writer->text, bytes, (gssize) size);
  else if (writer->bytes != NULL)
    g_byte_array_append (writer->bytes, (const guint8 *) bytes, (guint) size);
  else
    writer->size += size;
}

static void
append_char (Writer *writer, char c)
{
  if (writer->text != NULL)
    g_string_append_c (writer->text, c); /* inlined */
  else
    append (writer, &c, 1);
}

static void
append_escape (Writer *writer, guchar c)
{
  static const char plain[] = "\b\t\n\f\r\"\\";
  static const char letters[] = "btnfr\"\\";
  const char *found = c != '\0' ? strchr (plain, c) : NULL;
  if (found != NULL)
    {
      const char escape[] = { '\\', letters[found - plain] };
      append (writer, escape, sizeof escape);
      return;
    }
  char code[8];
  g_snprintf (code, sizeof code, "\\u%04x", c);
  append (writer, code, 6);
}

/* UTF-8 was checked when the value was made. */
static void
append_string (Writer *writer, const char *string, gsize size)
{
  gsize begin = 0;
  append_char (writer, '"');
  for (gsize i = 0; i < size; i++)
    {
      const guchar c = (guchar) string[i];
      if (c >= 0x20 && c != '"' && c != '\\')
        continue;
      append (writer, string + begin, i - begin);
      append_escape (writer, c);
      begin = i + 1;
    }
  append (writer, string + begin, size - begin);
  append_char (writer, '"');
}

static void
append_integer (Writer *writer, json_int_t number)
{
  char digits[VEND_JSON_NUMBER_SIZE];
  char *at = digits + sizeof digits;
  /* The least integer has no positive counterpart. */
  guint64 rest = number < 0 ? 0 - (guint64) number : (guint64) number;
  do
    *--at = (char) ('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (number < 0)
    *--at = '-';
  append (writer, at, (gsize) (digits + sizeof digits - at));
}

static void
append_real (Writer *writer, double number)
{
  char digits[VEND_JSON_NUMBER_SIZE];
  writer->real (digits, number);
  append (writer, digits, strlen (digits));
}

static void
begin_line (Writer *writer)
{
  if (!writer->is_pretty)
    return;
  append_char (writer, '\n');
  for (guint i = 0; i < writer->depth; i++)
    append (writer, "  ", 2);
}

static void
append_object (Writer *writer, const json_t *object)
{
  const char *key;
  json_t *item;
  bool is_first = true;
  append_char (writer, '{');
  writer->depth++;
  json_object_foreach ((json_t *) object, key, item)
    {
      if (!is_first)
        append_char (writer, ',');
      is_first = false;
      begin_line (writer);
      append_string (writer, key, strlen (key));
      append (writer, ": ", writer->is_pretty ? 2 : 1);
      append_value (writer, item);
    }
  writer->depth--;
  if (!is_first)
    begin_line (writer);
  append_char (writer, '}');
}

static void
append_array (Writer *writer, const json_t *array)
{
  json_t *item;
  size_t i;
  append_char (writer, '[');
  writer->depth++;
  json_array_foreach ((json_t *) array, i, item)
    {
      if (i > 0)
        append_char (writer, ',');
      begin_line (writer);
      append_value (writer, item);
    }
  writer->depth--;
  if (json_array_size (array) > 0)
    begin_line (writer);
  append_char (writer, ']');
}

static void
append_value (Writer *writer, const json_t *value)
{
  const char *digits;
  switch (json_typeof (value))
    {
    case JSON_OBJECT:
      append_object (writer, value);
      break;
    case JSON_ARRAY:
      append_array (writer, value);
      break;
    case JSON_STRING:
      digits = vend_json_big_digits (value);
      if (digits != NULL)
        append (writer, digits, strlen (digits));
      else
        append_string (writer, json_string_value (value), json_string_length (value));
      break;
    case JSON_INTEGER:
      append_integer (writer, json_integer_value (value));
      break;
    case JSON_REAL:
      append_real (writer, json_real_value (value));
      break;
    case JSON_TRUE:
      append (writer, "true", 4);
      break;
    case JSON_FALSE:
      append (writer, "false", 5);
      break;
    case JSON_NULL:
    default:
      append (writer, "null", 4);
    }
}

static char *
text_by (Writer writer, const json_t *value)
{
  if (value == NULL)
    return g_strdup ("null");
  writer.text = g_string_sized_new (256);
  append_value (&writer, value);
  return g_string_free (writer.text, FALSE);
}

char *
vend_json_text (const json_t *value)
{
  return text_by ((Writer){ .real = vend_json_real_format }, value);
}

char *
vend_json_text_pretty (const json_t *value)
{
  return text_by ((Writer){ .real = vend_json_real_format, .is_pretty = true }, value);
}

char *
vend_json_text_js (const json_t *value)
{
  return text_by ((Writer){ .real = vend_json_real_format_js }, value);
}

void
vend_json_append (GByteArray *out, const json_t *value)
{
  Writer writer = { .bytes = out, .real = vend_json_real_format };
  append_value (&writer, value);
}

void
vend_json_append_text (GString *out, const json_t *value)
{
  Writer writer = { .text = out, .real = vend_json_real_format };
  append_value (&writer, value);
}

gsize
vend_json_size (const json_t *value)
{
  Writer writer = { .real = vend_json_real_format };
  append_value (&writer, value);
  return writer.size;
}
