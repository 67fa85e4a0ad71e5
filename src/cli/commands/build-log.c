/* Follows a build: its log to stderr, then how it ended. Main thread only. */
#include "cli/commands/build-log.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>

#define FIRST_WAIT_US (50 * VEND_US_PER_MS)
#define MAX_WAIT_US (2 * VEND_US_PER_S)
#define PATIENCE_US (60 * VEND_US_PER_S)

/* The log is sent from its start on every connection. */
typedef struct
{
  gsize n_shown;
  gsize n_received; /* on this connection */
  bool is_line_open;
} Log;

static bool
on_log (const char *data, gsize size, void *user)
{
  Log *log = user;
  gsize skipped = log->n_shown > log->n_received ? MIN (size, log->n_shown - log->n_received) : 0;
  log->n_received += size;
  if (skipped == size)
    return true;
  vend_terminal_write (stderr, data + skipped, size - skipped);
  fflush (stderr);
  log->n_shown = log->n_received;
  log->is_line_open = data[size - 1] != '\n';
  return true;
}

bool
vend_build_log_is_over (const json_t *build)
{
  static const char *const final[] = { "succeeded", "failed", "canceled", NULL };
  const char *status = vend_json_string (build, "status");
  return status != NULL && g_strv_contains (final, status);
}

/* One look: the log as far as it goes, then the build. */
static bool
look (VendClient *client, const char *id, Log *log, json_t **out, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/v1/builds/%s", id);
  g_autofree char *log_path = g_strconcat (path, "/log", NULL);
  g_autoptr (GError) problem = NULL;

  log->n_received = 0;
  /* A failed read of the log is no reason to lose sight of the build. */
  if (!vend_client_read (client, log_path, on_log, log, &problem)
      && g_error_matches (problem, VEND_ERROR, VEND_ERROR_CANCELED))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  return vend_client_call (client, "GET", path, NULL, out, error);
}

bool
vend_build_log_follow (VendClient *client, VendInterrupt *interrupt, const char *id, json_t **out,
                       GError **error)
{
  Log log = { 0 };
  int64_t wait_us = FIRST_WAIT_US;
  int64_t lost_us = 0;

  for (;;)
    {
      json_auto_t *build = NULL;
      g_autoptr (GError) problem = NULL;
      int64_t now_us = g_get_monotonic_time ();
      if (look (client, id, &log, &build, &problem))
        {
          lost_us = 0;
          if (vend_build_log_is_over (build))
            {
              if (log.is_line_open)
                vend_terminal_write (stderr, "\n", 1);
              *out = g_steal_pointer (&build);
              return true;
            }
        }
      else
        {
          lost_us = lost_us == 0 ? now_us : lost_us;
          if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_UNAVAILABLE)
              || now_us - lost_us > PATIENCE_US)
            {
              g_propagate_error (error, g_steal_pointer (&problem));
              return false;
            }
        }
      if (vend_interrupt_wait (interrupt, wait_us))
        return vend_fail (error, VEND_ERROR_CANCELED, "interrupted");
      wait_us = MIN (wait_us * 2, MAX_WAIT_US);
    }
}
