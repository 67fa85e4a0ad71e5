/* Watches the model server through its health check. Main context. */
#include "director/health.h"
#include "director/cog-call.h"
#include "json/json.h"

#define FIRST_POLL_MS 5
#define BOOT_POLL_MS 100
#define BOOT_SHARE 100 /* a poll each hundredth of the time that the boot has taken so far */
#define ALMOST_READY_POLL_MS 2
#define IDLE_POLL_MS 5000
#define CALL_TIMEOUT_MS 12000L /* the server gives healthcheck() 5 s, 10 s with its own delays */
#define MAX_MISSED 2

struct VendHealth
{
  VendCurlContext *curl;
  char *url;
  const VendHealthEvents *events;
  void *context;
  VendCogCall *call;
  guint timer;
  int64_t since_us;
  guint missed;
  bool is_ready;
};

static void poll_after (VendHealth *health, guint delay_ms);

static guint
boot_delay (const VendHealth *health)
{
  const int64_t passed_ms = (g_get_monotonic_time () - health->since_us) / 1000;
  return (guint) CLAMP (passed_ms / BOOT_SHARE, FIRST_POLL_MS, BOOT_POLL_MS);
}

static void
take_boot_status (VendHealth *health, const json_t *body)
{
  const char *status = vend_json_string (body, "status");
  const json_t *setup = json_object_get (body, "setup");
  const char *logs = vend_json_string (setup, "logs");
  const bool is_up = g_strcmp0 (status, "READY") == 0 || g_strcmp0 (status, "BUSY") == 0;

  if (g_strcmp0 (status, "SETUP_FAILED") == 0 || g_strcmp0 (status, "UNKNOWN") == 0)
    health->events->setup_failed (logs != NULL ? logs : "setup failed", health->context);
  else if (g_strcmp0 (status, "UNHEALTHY") == 0)
    {
      const char *why = vend_json_string (body, "user_healthcheck_error");
      health->events->setup_failed (why != NULL ? why : "the model says it is unhealthy",
                                    health->context);
    }
  else if (is_up && g_strcmp0 (vend_json_string (setup, "status"), "succeeded") == 0)
    {
      health->is_ready = true;
      health->events->setup_logs (logs, health->context);
      poll_after (health, IDLE_POLL_MS);
      health->events->ready (health->context);
    }
  else
    poll_after (health, is_up ? ALMOST_READY_POLL_MS : boot_delay (health));
}

static void
take_idle_status (VendHealth *health, const json_t *body)
{
  health->missed = 0;
  if (g_strcmp0 (vend_json_string (body, "status"), "UNHEALTHY") != 0)
    {
      poll_after (health, IDLE_POLL_MS);
      return;
    }
  const char *why = vend_json_string (body, "user_healthcheck_error");
  health->events->sick (why != NULL ? why : "the model says it is unhealthy", health->context);
}

static void
take_missed (VendHealth *health)
{
  if (!health->is_ready)
    poll_after (health, boot_delay (health));
  else if (++health->missed < MAX_MISSED)
    poll_after (health, IDLE_POLL_MS);
  else
    health->events->sick ("the model server does not answer", health->context);
}

static void
on_reply (long status, const char *body, gsize size, const char *problem, void *user_data)
{
  VendHealth *health = user_data;
  json_auto_t *document = NULL;
  health->call = NULL;
  if (status != 200 || !vend_json_parse (body, size, &document, NULL))
    take_missed (health);
  else if (health->is_ready)
    take_idle_status (health, document);
  else
    take_boot_status (health, document);
}

static gboolean
on_timer (void *user_data)
{
  VendHealth *health = user_data;
  health->timer = 0;
  if (health->is_ready && !health->events->is_idle (health->context))
    {
      poll_after (health, IDLE_POLL_MS);
      return G_SOURCE_REMOVE;
    }
  health->call = vend_cog_call_start (health->curl, "GET", health->url, NULL, CALL_TIMEOUT_MS,
                                      on_reply, health);
  return G_SOURCE_REMOVE;
}

static void
poll_after (VendHealth *health, guint delay_ms)
{
  health->timer = g_timeout_add (delay_ms, on_timer, health);
}

VendHealth *
vend_health_start (VendCurlContext *curl, const char *base_url, const VendHealthEvents *events,
                   void *context)
{
  VendHealth *health = g_new0 (VendHealth, 1);
  health->curl = curl;
  health->url = g_strconcat (base_url, "/health-check", NULL);
  health->events = events;
  health->context = context;
  health->since_us = g_get_monotonic_time ();
  poll_after (health, FIRST_POLL_MS);
  return health;
}

void
vend_health_free (VendHealth *health)
{
  if (health == NULL)
    return;
  if (health->timer != 0)
    g_source_remove (health->timer);
  if (health->call != NULL)
    vend_cog_call_cancel (health->call);
  g_free (health->url);
  g_free (health);
}
