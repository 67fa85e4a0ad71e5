/* Messages of the commands. Main thread only. */
#include "cli/terminal/terminal.h"
#include "base/clock.h"
#include "base/plain-text.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FALLBACK_WIDTH 80
#define BAR_CELLS 24
#define LEAST_SHOWN_US (100 * VEND_US_PER_MS)
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"
#define CLEAR_LINE "\r\033[K"

struct VendProgress
{
  guint width; /* 0 = nothing is ever shown */
  bool is_dirty;
  int64_t shown_us; /* monotonic */
};

/* Begun characters: whoever writes in pieces may cut one. */
typedef struct
{
  char begun[8];
  gsize n_begun;
} Piece;

static Piece pieces[2];

bool
vend_terminal_is (int fd)
{
  return isatty (fd) == 1;
}

bool
vend_terminal_has_colour (int fd)
{
  const char *no_colour = g_getenv ("NO_COLOR");
  const char *term = g_getenv ("TERM");
  return vend_terminal_is (fd) && (no_colour == NULL || *no_colour == '\0')
         && g_strcmp0 (term, "dumb") != 0;
}

guint
vend_terminal_width (int fd)
{
  struct winsize size = { 0 };
  if (!vend_terminal_is (fd))
    return 0;
  if (ioctl (fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
    return FALLBACK_WIDTH;
  return size.ws_col;
}

char *
vend_terminal_one_line (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autoptr (GString) line = g_string_new (NULL);

  g_strstrip (valid);
  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      if (c == '\n' && line->len > 0)
        g_string_append (line, "; ");
      else if (vend_plain_is_control (c))
        g_string_append_c (line, ' ');
      else
        g_string_append_unichar (line, c);
    }
  return g_string_free (g_steal_pointer (&line), FALSE);
}

void
vend_terminal_write (FILE *stream, const char *data, gsize size)
{
  if (!vend_terminal_is (fileno (stream)))
    {
      fwrite (data, 1, size, stream);
      return;
    }
  Piece *piece = &pieces[stream == stderr];
  g_autoptr (GString) all = g_string_new_len (piece->begun, (gssize) piece->n_begun);
  g_autoptr (GString) plain = g_string_sized_new (size);
  g_string_append_len (all, data, (gssize) size);
  const gsize used = vend_plain_append (plain, all->str, all->len);
  piece->n_begun = MIN (all->len - used, sizeof piece->begun);
  memcpy (piece->begun, all->str + used, piece->n_begun);
  fwrite (plain->str, 1, plain->len, stream);
}

static void print_to (FILE *stream, const char *format, va_list args) G_GNUC_PRINTF (2, 0);

static void
print_to (FILE *stream, const char *format, va_list args)
{
  g_autofree char *text = g_strdup_vprintf (format, args);
  vend_terminal_write (stream, text, strlen (text));
}

void
vend_terminal_print (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  print_to (stdout, format, args);
  va_end (args);
}

static void
print_labelled (const char *label, const char *colour, const char *text)
{
  g_autofree char *line = vend_terminal_one_line (text);
  bool coloured = vend_terminal_has_colour (STDERR_FILENO);
  fflush (stdout);
  fprintf (stderr, "vend: %s%s%s: %s\n", coloured ? colour : "", label, coloured ? PLAIN : "",
           line);
}

void
vend_terminal_error (const char *text)
{
  print_labelled ("error", RED, text);
}

void
vend_terminal_warn (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  print_labelled ("warning", YELLOW, text);
}

void
vend_terminal_note (const char *format, ...)
{
  va_list args;
  fflush (stdout);
  va_start (args, format);
  print_to (stderr, format, args);
  va_end (args);
  vend_terminal_write (stderr, "\n", 1);
}

void
vend_terminal_json (const json_t *value)
{
  g_autofree char *text = vend_json_text_pretty (value);
  vend_terminal_print ("%s\n", text);
}

VendProgress *
vend_progress_new (void)
{
  VendProgress *progress = g_new0 (VendProgress, 1);
  if (vend_terminal_is (STDERR_FILENO) && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0)
    progress->width = vend_terminal_width (STDERR_FILENO);
  return progress;
}

void
vend_progress_free (VendProgress *progress)
{
  if (progress == NULL)
    return;
  vend_progress_clear (progress);
  g_free (progress);
}

bool
vend_progress_is_shown (const VendProgress *progress)
{
  return progress->width > 0;
}

void
vend_progress_show (VendProgress *progress, const char *format, ...)
{
  if (progress->width == 0)
    return;

  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *line = vend_terminal_one_line (text);
  /* The last column stays free: a full line wraps, and a wrapped one cannot be written over. */
  g_autofree char *shown = g_utf8_substring (
      line, 0, MIN (g_utf8_strlen (line, -1), (glong) MAX (progress->width, 2u) - 1));
  fflush (stdout);
  fprintf (stderr, CLEAR_LINE "%s", shown);
  fflush (stderr);
  progress->is_dirty = true;
  progress->shown_us = g_get_monotonic_time ();
}

bool
vend_progress_is_due (const VendProgress *progress)
{
  return progress->width > 0 && g_get_monotonic_time () - progress->shown_us >= LEAST_SHOWN_US;
}

void
vend_progress_clear (VendProgress *progress)
{
  if (!progress->is_dirty)
    return;
  fputs (CLEAR_LINE, stderr);
  fflush (stderr);
  progress->is_dirty = false;
}

char *
vend_progress_bar (guint64 done, guint64 total)
{
  double part = total > 0 ? CLAMP ((double) done / (double) total, 0.0, 1.0) : 1.0;
  int cells = (int) (part * BAR_CELLS);
  char bar[BAR_CELLS + 1];

  memset (bar, '.', BAR_CELLS);
  memset (bar, '#', (gsize) cells);
  bar[BAR_CELLS] = '\0';
  return g_strdup_printf ("[%s] %3d %%", bar, (int) (part * 100));
}
