/* `vend top`: queues, instances and hardware as they change. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/terminal/screen.h"
#include "cli/commands/top-view.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/settings.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <unistd.h>

#define PATH "/v1/status"
#define LEAST_INTERVAL_US (200 * VEND_US_PER_MS)
#define MOST_INTERVAL_US (3600 * VEND_US_PER_S)

typedef struct
{
  VendClient *client;
  VendInterrupt *interrupt;
  int64_t interval_us;
  json_t *before; /* what was shown before `now`, or NULL */
  json_t *now;
} Top;

static void
top_clear (Top *top)
{
  json_decref (top->before);
  json_decref (top->now);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Top, top_clear)

static bool
look (Top *top, GError **error)
{
  json_t *now = NULL;
  if (!vend_client_call (top->client, "GET", PATH, NULL, &now, error))
    return false;
  json_decref (top->before);
  top->before = top->now;
  top->now = now;
  return true;
}

static const char *
address_of (const Top *top)
{
  return vend_client_get_config (top->client)->url;
}

static void
print_once (const Top *top)
{
  const VendTopSize size = { .width = vend_terminal_width (STDOUT_FILENO) };
  g_auto (GStrv) lines = vend_top_view (top->now, NULL, address_of (top), size, NULL);
  for (guint i = 0; lines[i] != NULL; i++)
    vend_terminal_print ("%s\n", lines[i]);
}

/* `problem` (or NULL) is shown below the last state. */
static void
draw (const Top *top, VendScreen *screen, const GError *problem)
{
  VendTopSize size;
  g_autofree gboolean *bold = NULL;
  vend_screen_size (screen, &size.width, &size.height);
  if (problem != NULL && size.height > 1)
    size.height--;
  g_auto (GStrv) lines = vend_top_view (top->now, top->before, address_of (top), size, &bold);
  if (problem == NULL)
    {
      vend_screen_draw (screen, (const char *const *) lines, bold);
      return;
    }
  g_autofree char *one_line = vend_terminal_one_line (problem->message);
  const gsize room = MIN ((gsize) g_utf8_strlen (one_line, -1), size.width);
  g_autofree char *shown = g_utf8_substring (one_line, 0, (glong) room);
  const guint n = g_strv_length (lines);
  g_autofree const char **all = g_new0 (const char *, n + 2);
  g_autofree gboolean *all_bold = g_new0 (gboolean, n + 1);
  all[0] = shown;
  all_bold[0] = TRUE;
  for (guint i = 0; i < n; i++)
    {
      all[i + 1] = lines[i];
      all_bold[i + 1] = bold[i];
    }
  vend_screen_draw (screen, all, all_bold);
}

static bool
may_come_back (const GError *problem)
{
  return g_error_matches (problem, VEND_ERROR, VEND_ERROR_UNAVAILABLE)
         || g_error_matches (problem, VEND_ERROR, VEND_ERROR_TIMEOUT)
         || g_error_matches (problem, VEND_ERROR, VEND_ERROR_RATE_LIMITED);
}

/* True when the command is to end. */
static bool
wait_for_next (const Top *top, VendScreen *screen, const GError *problem)
{
  const int64_t until_us = g_get_monotonic_time () + top->interval_us;
  for (;;)
    {
      char key = '\0';
      const int64_t left_us = MAX (until_us - g_get_monotonic_time (), 0);
      const VendScreenEvent event = vend_screen_wait (screen, left_us, &key);
      if (event == VEND_SCREEN_ENDING || (event == VEND_SCREEN_KEY && (key == 'q' || key == 'Q')))
        return true;
      if (event == VEND_SCREEN_TIME && g_get_monotonic_time () >= until_us)
        return false;
      if (event == VEND_SCREEN_SIZE)
        draw (top, screen, problem);
    }
}

static bool
follow (Top *top, GError **error)
{
  g_autoptr (VendScreen) screen = vend_screen_new (top->interrupt);
  g_autoptr (GError) problem = NULL;
  for (;;)
    {
      draw (top, screen, problem);
      if (wait_for_next (top, screen, problem))
        return true;
      g_clear_error (&problem);
      if (look (top, &problem))
        continue;
      if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_CANCELED))
        return true;
      if (!may_come_back (problem))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
    }
}

static bool
read_interval (const char *text, int64_t *out_us, GError **error)
{
  int64_t us = VEND_US_PER_S;
  if (text != NULL && !vend_duration_parse (text, &us, error))
    {
      g_prefix_error (error, "--interval: ");
      return false;
    }
  if (us < LEAST_INTERVAL_US || us > MOST_INTERVAL_US)
    return vend_fail (error, VEND_ERROR_INVALID, "--interval: expected 200ms to 1h");
  *out_us = us;
  return true;
}

static bool
run (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  g_autofree char *interval = NULL;
  gboolean once = FALSE;
  const GOptionEntry entries[] = {
    { "once", 0, 0, G_OPTION_ARG_NONE, &once,
      "print the state once and exit; default without a terminal", NULL },
    { "interval", 0, 0, G_OPTION_ARG_STRING, &interval, "time between updates (1s)", "DURATION" },
    { NULL },
  };
  const VendOptions options = {
    .command = "top",
    .usage = "",
    .summary
    = "Shows queues, instances and hardware as they change, until q. Needs an admin token.",
    .entries = entries,
    .connection = &connection,
  };
  g_auto (Top) top = { 0 };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !read_interval (interval, &top.interval_us, error))
    return false;
  g_autoptr (VendInterrupt) interrupt = vend_interrupt_new ();
  if (!vend_client_new (&connection, &client, error))
    return false;
  vend_client_set_interrupt (client, interrupt);
  top.client = client;
  top.interrupt = interrupt;
  if (!look (&top, error))
    return false;
  const bool is_terminal = vend_terminal_is (STDOUT_FILENO) && vend_terminal_is (STDIN_FILENO)
                           && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  if (connection.json)
    vend_terminal_json (top.now);
  else if (once || !is_terminal)
    print_once (&top);
  else
    return follow (&top, error);
  return true;
}

int
vend_cmd_top (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = run (argc, argv, &error);
  return vend_exit_code (good, error);
}
