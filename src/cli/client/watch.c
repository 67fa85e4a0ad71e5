/* Finds predictions and trainings, and follows one until it ends, by polling. Main thread only. */
#include "cli/client/watch.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/status.h"
#include <string.h>

#define FIRST_POLL_US (50 * VEND_US_PER_MS)
#define MAX_POLL_US (500 * VEND_US_PER_MS)
#define PATIENCE_US (30 * VEND_US_PER_S)

bool
vend_watch_is_over (const json_t *prediction)
{
  const char *name = vend_json_string (prediction, "status");
  VendStatus status = VEND_STATUS_STARTING;
  return name != NULL && vend_status_parse (name, &status) && vend_status_is_terminal (status);
}

static const char *
folder_of (bool is_training)
{
  return is_training ? "trainings" : "predictions";
}

bool
vend_watch_find (VendClient *client, const char *id, bool *out_is_training, json_t **out,
                 GError **error)
{
  g_autoptr (GError) problem = NULL;
  for (guint i = 0; i < 2; i++)
    {
      const bool is_training = i == 1;
      g_autofree char *path = g_strdup_printf ("/v1/%s/%s", folder_of (is_training), id);
      g_clear_error (&problem);
      if (vend_client_call (client, "GET", path, NULL, out, &problem))
        {
          *out_is_training = is_training;
          return true;
        }
      if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
    }
  return vend_fail (error, VEND_ERROR_NOT_FOUND,
                    "there is no prediction or training %s, or this token may not see it", id);
}

bool
vend_watch_cancel (VendClient *client, const char *id, bool is_training, json_t **out,
                   GError **error)
{
  g_autofree char *path = g_strdup_printf ("/v1/%s/%s/cancel", folder_of (is_training), id);
  return vend_client_call (client, "POST", path, NULL, out, error);
}

const char *
vend_watch_new_logs (const json_t *prediction, gsize *inout_shown)
{
  const char *logs = vend_json_string (prediction, "logs");
  if (logs == NULL)
    return "";
  gsize length = strlen (logs);
  const char *fresh = logs + (*inout_shown <= length ? *inout_shown : 0);
  *inout_shown = length;
  return fresh;
}

/* A lost server is no lost prediction; `*inout_lost_us` is since when it has been away. */
static bool
tolerate (GError **problem, int64_t *inout_lost_us, GError **error)
{
  int64_t now_us = g_get_monotonic_time ();
  bool may_pass = g_error_matches (*problem, VEND_ERROR, VEND_ERROR_UNAVAILABLE)
                  || g_error_matches (*problem, VEND_ERROR, VEND_ERROR_RATE_LIMITED);
  if (*inout_lost_us == 0)
    *inout_lost_us = now_us;
  if (may_pass && now_us - *inout_lost_us < PATIENCE_US)
    {
      g_clear_error (problem);
      return true;
    }
  g_propagate_error (error, g_steal_pointer (problem));
  return false;
}

bool
vend_watch_run (const VendWatch *watch, VendClient *client, json_t **out, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/v1/%s/%s", folder_of (watch->is_training), watch->id);
  int64_t wait_us = FIRST_POLL_US;
  int64_t lost_us = 0;

  for (;;)
    {
      json_auto_t *prediction = NULL;
      g_autoptr (GError) problem = NULL;
      if (vend_client_call (client, "GET", path, NULL, &prediction, &problem))
        {
          lost_us = 0;
          if (watch->on_change != NULL)
            watch->on_change (prediction, watch->user);
          if (vend_watch_is_over (prediction))
            {
              *out = g_steal_pointer (&prediction);
              return true;
            }
        }
      else if (!tolerate (&problem, &lost_us, error))
        return false;

      int64_t now_us = vend_now_us ();
      if (watch->deadline_us > 0 && now_us >= watch->deadline_us)
        return vend_fail (error, VEND_ERROR_TIMEOUT, "%s has not ended before the deadline",
                          watch->id);
      int64_t left_us = watch->deadline_us > 0 ? watch->deadline_us - now_us : wait_us;
      if (vend_interrupt_wait (watch->interrupt, MAX (MIN (wait_us, left_us), VEND_US_PER_MS)))
        return vend_fail (error, VEND_ERROR_CANCELED, "interrupted");
      wait_us = MIN (wait_us * 3 / 2, MAX_POLL_US);
    }
}
