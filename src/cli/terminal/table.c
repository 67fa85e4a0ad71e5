/* Aligned columns for lists. Main thread only. */
#include "cli/terminal/table.h"
#include "cli/terminal/terminal.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GAP 2
#define LEAST_CUT 8 /* least width of a column that is cut in the middle */
#define ELLIPSIS "…"

struct VendTable
{
  guint n_columns;
  guint *widths;
  bool *is_right;
  gssize cut;       /* the column that is cut in the middle; -1 = none */
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
  table->is_right = g_new0 (bool, table->n_columns);
  table->cut = -1;
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
  g_free (table->is_right);
  g_free (table);
}

void
vend_table_align_right (VendTable *table, guint column)
{
  table->is_right[column] = true;
}

void
vend_table_cut_middle (VendTable *table, guint column)
{
  table->cut = (gssize) column;
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

/* The beginning and the end of `text` in `width` columns. */
static char *
cut_middle (const char *text, guint width)
{
  const guint whole = cell_width (text);
  if (whole <= width)
    return g_strdup (text);
  const guint tail = (width - 1) / 2;
  const gsize head_bytes = fitting_bytes (text, width - 1 - tail);
  const char *rest = text + strlen (text);
  for (guint used = 0; rest > text;)
    {
      const char *before = g_utf8_prev_char (rest);
      const gunichar c = g_utf8_get_char (before);
      used += g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
      if (used > tail)
        break;
      rest = before;
    }
  return g_strdup_printf ("%.*s" ELLIPSIS "%s", (int) head_bytes, text, rest);
}

/* The width that the cut column may take of a line of `width`. */
static guint
width_of_cut (const VendTable *table, guint width)
{
  guint others = 0;
  for (guint i = 0; i < table->n_columns; i++)
    others += i != (guint) table->cut ? table->widths[i] + GAP : 0;
  const guint own = table->widths[table->cut];
  if (width == 0 || others + own <= width)
    return own;
  return MIN (own, MAX (width > others ? width - others : 0, LEAST_CUT));
}

static char *
line_text (const VendTable *table, guint index, guint width)
{
  const char *const *cells = g_ptr_array_index (table->lines, index);
  g_autoptr (GString) line = g_string_new (NULL);

  for (guint i = 0; i < table->n_columns; i++)
    {
      const bool is_cut = table->cut == (gssize) i;
      const guint room = is_cut ? width_of_cut (table, width) : table->widths[i];
      g_autofree char *cell = is_cut ? cut_middle (cells[i], room) : g_strdup (cells[i]);
      const int padding = (int) (room - cell_width (cell));
      const int gap = i + 1 < table->n_columns ? GAP : 0;
      if (table->is_right[i])
        g_string_append_printf (line, "%*s%s%*s", padding, "", cell, gap, "");
      else
        g_string_append_printf (line, "%s%*s", cell, padding + gap, "");
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
