/* Charts of simulations, drawn by gnuplot. Main thread only. */
#include "cli/commands/chart.h"
#include "base/count.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/terminal/terminal.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "gnuplot"
#define STDOUT "-"
#define TEXT_ROWS 24
#define FALLBACK_COLUMNS 80
#define MIN_COLUMNS 40
#define MAX_SAID 2000
/* Logarithms have no 0. */
#define LEAST_WAIT_S 0.1

static const struct
{
  const char *suffix;
  const char *terminal;
} formats[] = {
  { ".svg", "svg size 1000,800 background 'white'" },
  { ".png", "pngcairo size 1000,800" },
  { ".pdf", "pdfcairo size 25cm,20cm" },
};

static const char *
find_terminal (const char *path)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_str_has_suffix (path, formats[i].suffix))
      return formats[i].terminal;
  return NULL;
}

bool
vend_chart_check (const char *path, GError **error)
{
  g_autofree char *program = g_find_program_in_path (PROGRAM);
  if (strcmp (path, STDOUT) != 0 && find_terminal (path) == NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "--chart: expected a file that ends with .svg, .png or .pdf, or - for text");
  return program != NULL
         || vend_fail (error, VEND_ERROR_UNAVAILABLE,
                       "--chart: gnuplot is not installed; install the package gnuplot-nox "
                       "(Debian, Ubuntu) or gnuplot");
}

/* ---- The script */

static void
add_number (GString *script, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (script, " %s", g_ascii_formatd (text, sizeof text, "%.6g", value));
}

static void
add_waits (GString *script, const VendChart *chart)
{
  g_string_append (script, "$waits << EOD\n");
  for (guint percent = 0; percent <= 100; percent++)
    {
      g_string_append_printf (script, "%u", percent);
      for (guint i = 0; i < chart->n_lines; i++)
        add_number (script,
                    MAX (chart->lines[i].result->wait_percentiles_s[percent], LEAST_WAIT_S));
      g_string_append_c (script, '\n');
    }
  g_autofree char *requests = vend_count_text (chart->requests, "request", "requests");
  g_autofree char *models = vend_count_text (chart->models, "model", "models");
  g_autofree char *units = vend_count_text (chart->units, "unit", "units");
  g_string_append_printf (script,
                          "EOD\n"
                          "set title 'Waits of %s to %s on %s'\n"
                          "set xlabel 'percent of the requests'\n"
                          "set ylabel 'wait in seconds, at most'\n"
                          "set logscale y\n"
                          "set grid\n"
                          "set key left top\n",
                          requests, models, units);
  for (guint i = 0; i < chart->n_lines; i++)
    g_string_append_printf (script, "%s$waits using 1:%u with lines linewidth 2 title '%s'",
                            i == 0 ? "plot " : ", ", i + 2, chart->lines[i].name);
  g_string_append_c (script, '\n');
}

static void
add_hours (GString *script, const VendChart *chart)
{
  g_string_append (script, "$hours << EOD\n");
  for (guint i = 0; i < chart->n_lines; i++)
    {
      const VendChartLine *line = &chart->lines[i];
      char cost[G_ASCII_DTOSTR_BUF_SIZE];
      g_autofree char *loads = vend_count_text (line->result->cold_starts, "load", "loads");
      g_string_append_printf (script, "\"%s\\n%s", line->name, loads);
      if (line->cost > 0)
        g_string_append_printf (script, "\\ncost %s",
                                g_ascii_formatd (cost, sizeof cost, "%.2f", line->cost));
      g_string_append_c (script, '"');
      add_number (script, line->result->busy_hours);
      add_number (script, line->result->loading_hours);
      add_number (script, line->result->idle_hours);
      g_string_append_c (script, '\n');
    }
  g_string_append (script, "EOD\n"
                           "unset logscale\nset title 'Hours of the units'\n"
                           "unset xlabel\nset ylabel 'hours'\nset yrange [0:*]\nset bmargin 4\nset "
                           "key outside right top\n"
                           "set style data histograms\nset style histogram rowstacked\n"
                           "set style fill solid 0.8\nset boxwidth 0.6\n"
                           "plot $hours using 2:xtic(1) title 'busy', $hours using 3 title "
                           "'loading', $hours using 4 title 'idle'\n");
}

char *
vend_chart_script (const VendChart *chart, const char *path, guint columns)
{
  g_autoptr (GString) script = g_string_new ("set encoding utf8\n");
  if (strcmp (path, STDOUT) == 0)
    {
      g_string_append_printf (script, "set terminal dumb size %u,%u\n", columns, TEXT_ROWS);
      add_waits (script, chart);
      return g_string_free (g_steal_pointer (&script), FALSE);
    }
  g_string_append_printf (script, "set terminal %s\nset multiplot layout 2,1\n",
                          find_terminal (path));
  add_waits (script, chart);
  add_hours (script, chart);
  g_string_append (script, "unset multiplot\n");
  return g_string_free (g_steal_pointer (&script), FALSE);
}

/* ---- gnuplot */

/* Reads the script from `in`, draws on `out`; error messages go to `said`. */
static bool
run_program (int in, int out, int said, GError **error)
{
  /* Without the settings of its user. */
  static const char *const argv[] = { PROGRAM, "-d", "-", NULL };
  g_autoptr (GError) problem = NULL;
  GPid pid = 0;
  int status = 0;
  pid_t waited;
  if (!g_spawn_async_with_fds (NULL, (char **) argv, NULL,
                               G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                               in, out, said, &problem))
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "start gnuplot: %s", problem->message);
  do
    waited = waitpid (pid, &status, 0);
  while (waited < 0 && errno == EINTR);
  if (waited == pid && WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return true;
  char text[MAX_SAID + 1] = "";
  const ssize_t n = pread (said, text, MAX_SAID, 0);
  text[MAX (n, 0)] = '\0';
  g_autofree char *line = vend_terminal_one_line (text);
  return vend_fail (error, VEND_ERROR_UNAVAILABLE, "gnuplot failed: %s", line);
}

static bool
draw_on (const char *script, int out, GError **error)
{
  vend_autofd in = memfd_create ("chart", MFD_CLOEXEC);
  vend_autofd said = memfd_create ("chart-errors", MFD_CLOEXEC);
  if (in < 0 || said < 0)
    return vend_fail_errno (error, VEND_ERROR_INTERNAL, errno, "a file in memory");
  if (!vend_fd_write_all (in, script, strlen (script), error))
    return false;
  if (lseek (in, 0, SEEK_SET) != 0)
    return vend_fail_errno (error, VEND_ERROR_INTERNAL, errno, "a file in memory");
  return run_program (in, out, said, error);
}

/* In the folder of the final file. */
static bool
draw_file (const char *script, const char *path, GError **error)
{
  g_autofree char *fresh = g_strconcat (path, ".XXXXXX", NULL);
  vend_autofd out = g_mkstemp_full (fresh, O_RDWR | O_CLOEXEC, 0644);
  if (out < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  bool good = draw_on (script, out, error);
  if (good && g_rename (fresh, path) < 0)
    good = vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  if (!good)
    unlink (fresh);
  return good;
}

bool
vend_chart_draw (const VendChart *chart, const char *path, GError **error)
{
  const guint columns = vend_terminal_width (STDOUT_FILENO);
  g_autofree char *script = vend_chart_script (
      chart, path, MAX (columns > 0 ? columns : FALLBACK_COLUMNS, MIN_COLUMNS));
  if (strcmp (path, STDOUT) != 0)
    return draw_file (script, path, error);
  fflush (stdout);
  /* A copy: the descriptor that a child gets is closed in the child. */
  vend_autofd out = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (out < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "write to the output");
  return draw_on (script, out, error);
}
