/* Aligned columns for lists. Main thread only. */
#include "cli/table.h"
#include "cli/terminal.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GAP 2

struct VendTable
{
  guint n_columns;
  guint *widths;
  GPtrArray *lines; /* GStrv with n_columns cells; the first holds the headings */
};

static guint
cell_width (const char *text)
{
  guint width = 0;
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      width += g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
    }
  return width;
}

/* Takes `cells`. */
static void
add_line (VendTable *table, char **cells)
{
  for (guint i = 0; i < table->n_columns; i++)
    table->widths[i] = MAX (table->widths[i], cell_width (cells[i]));
  g_ptr_array_add (table->lines, cells);
}

VendTable *
vend_table_new (const char *const *columns)
{
  VendTable *table = g_new0 (VendTable, 1);
  table->n_columns = g_strv_length ((char **) columns);
  table->widths = g_new0 (guint, table->n_columns);
  table->lines = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  add_line (table, g_strdupv ((char **) columns));
  return table;
}

void
vend_table_free (VendTable *table)
{
  if (table == NULL)
    return;
  g_ptr_array_unref (table->lines);
  g_free (table->widths);
  g_free (table);
}

void
vend_table_add (VendTable *table, ...)
{
  char **cells = g_new0 (char *, table->n_columns + 1);
  va_list args;

  va_start (args, table);
  for (guint i = 0; i < table->n_columns; i++)
    {
      const char *text = va_arg (args, const char *);
      cells[i] = vend_terminal_one_line (text != NULL ? text : "");
    }
  va_end (args);
  add_line (table, cells);
}

guint
vend_table_rows (const VendTable *table)
{
  return table->lines->len - 1;
}

/* Bytes of `text` that fit into `width` columns. */
static gsize
fitting_bytes (const char *text, guint width)
{
  const char *at = text;
  for (guint used = 0; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      used += g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
      if (used > width)
        break;
    }
  return (gsize) (at - text);
}

static char *
line_text (const VendTable *table, guint index, guint width)
{
  const char *const *cells = g_ptr_array_index (table->lines, index);
  g_autoptr (GString) line = g_string_new (NULL);

  for (guint i = 0; i < table->n_columns; i++)
    {
      guint padding = table->widths[i] - cell_width (cells[i]) + GAP;
      g_string_append (line, cells[i]);
      if (i + 1 < table->n_columns)
        g_string_append_printf (line, "%*s", (int) padding, "");
    }
  if (width > 0)
    g_string_truncate (line, fitting_bytes (line->str, width));
  while (line->len > 0 && line->str[line->len - 1] == ' ')
    g_string_truncate (line, line->len - 1);
  return g_string_free (g_steal_pointer (&line), FALSE);
}

char *
vend_table_text (const VendTable *table, guint width)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < table->lines->len; i++)
    {
      g_autofree char *line = line_text (table, i, width);
      g_string_append_printf (text, "%s\n", line);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

void
vend_table_print (const VendTable *table)
{
  g_autofree char *text = vend_table_text (table, vend_terminal_width (STDOUT_FILENO));
  if (!vend_terminal_has_colour (STDOUT_FILENO))
    {
      fputs (text, stdout);
      return;
    }
  gsize heading = strcspn (text, "\n");
  printf ("\033[1m%.*s\033[0m%s", (int) heading, text, text + heading);
}
