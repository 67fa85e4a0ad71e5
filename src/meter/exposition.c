/* The text format of Prometheus. */
#include "meter/exposition.h"
#include <inttypes.h>
#include <string.h>

void
vend_exposition_family (GString *text, const char *name, const char *type, const char *help)
{
  g_string_append_printf (text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
append_escaped (GString *text, const char *value)
{
  for (const char *c = value; *c != '\0'; c++)
    switch (*c)
      {
      case '\\':
        g_string_append (text, "\\\\");
        break;
      case '"':
        g_string_append (text, "\\\"");
        break;
      case '\n':
        g_string_append (text, "\\n");
        break;
      default:
        g_string_append_c (text, *c);
      }
}

char *
vend_exposition_labels (const char *name, ...)
{
  GString *text = g_string_new (NULL);
  va_list args;
  va_start (args, name);
  for (const char *label = name; label != NULL; label = va_arg (args, const char *))
    {
      g_string_append_printf (text, "%s%s=\"", text->len > 0 ? "," : "", label);
      append_escaped (text, va_arg (args, const char *));
      g_string_append_c (text, '"');
    }
  va_end (args);
  return g_string_free (text, FALSE);
}

static void
append_name (GString *text, const char *name, const char *labels)
{
  g_string_append (text, name);
  if (*labels != '\0')
    g_string_append_printf (text, "{%s}", labels);
  g_string_append_c (text, ' ');
}

void
vend_exposition_count (GString *text, const char *name, const char *labels, uint64_t value)
{
  append_name (text, name, labels);
  g_string_append_printf (text, "%" PRIu64 "\n", value);
}

/* The shortest form that reads back the same, with a point in every locale. */
static void
append_double (GString *text, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (number, sizeof number, "%.15g", value);
  if (g_ascii_strtod (number, NULL) != value)
    g_ascii_dtostr (number, sizeof number, value);
  g_string_append (text, number);
}

void
vend_exposition_number (GString *text, const char *name, const char *labels, double value)
{
  append_name (text, name, labels);
  append_double (text, value);
  g_string_append_c (text, '\n');
}

void
vend_exposition_histogram (GString *text, const char *name, const char *labels,
                           const VendHistogram *histogram, double scale)
{
  VendHistogramView view;
  const char *comma = *labels != '\0' ? "," : "";
  vend_histogram_view (histogram, &view);
  for (guint i = 0; i <= view.n_bounds; i++)
    {
      g_string_append_printf (text, "%s_bucket{%s%sle=\"", name, labels, comma);
      if (i < view.n_bounds)
        append_double (text, (double) view.bounds[i] / scale);
      else
        g_string_append (text, "+Inf");
      g_string_append_printf (text, "\"} %" PRIu64 "\n", view.counts[i]);
    }
  g_autofree char *sum = g_strconcat (name, "_sum", NULL);
  g_autofree char *count = g_strconcat (name, "_count", NULL);
  vend_exposition_number (text, sum, labels, (double) view.sum / scale);
  vend_exposition_count (text, count, labels, view.counts[view.n_bounds]);
}
