/* /metrics for Prometheus. The core thread says how things stand; the text is made on the thread of
 * the connection. */
#include "api/api-private.h"
#include "base/clock.h"
#include "meter/exposition.h"
#include "meter/process.h"
#include <string.h>

#ifndef VEND_VERSION
#define VEND_VERSION "0.1.0"
#endif

#define IN_SECONDS 1e6

static const int64_t duration_bounds[]
    = { 1000,   2500,   5000,    10000,   25000,    50000,   100000,
        250000, 500000, 1000000, 2500000, 10000000, 60000000 };

void
vend_api_route_stats_init (ApiRouteStats *stats)
{
  vend_histogram_init (&stats->duration, duration_bounds, G_N_ELEMENTS (duration_bounds));
}

void
vend_api_count (ApiRouteStats *stats, int status, int64_t duration_us)
{
  const guint class = (guint) CLAMP (status / 100, 0, API_STATUS_CLASSES - 1);
  atomic_fetch_add_explicit (&stats->by_class[class], 1, memory_order_relaxed);
  vend_histogram_add (&stats->duration, duration_us);
}

/* ---- The text */

static char *
route_labels (const ApiBound *bound)
{
  if (bound->route == NULL)
    return vend_exposition_labels ("route", "none", "method", "any", NULL);
  return vend_exposition_labels ("route", bound->route->pattern, "method", bound->route->method,
                                 NULL);
}

static bool
was_called (const ApiRouteStats *stats)
{
  for (guint i = 0; i < API_STATUS_CLASSES; i++)
    if (atomic_load (&stats->by_class[i]) > 0)
      return true;
  return false;
}

static void
write_requests (GString *text, const ApiBound *bound, const char *labels)
{
  for (guint i = 1; i < API_STATUS_CLASSES; i++)
    {
      const uint64_t n = atomic_load (&bound->stats.by_class[i]);
      g_autofree char *all = g_strdup_printf ("%s,status=\"%uxx\"", labels, i);
      if (n > 0)
        vend_exposition_count (text, "vend_http_requests_total", all, n);
    }
}

/* Routes that nobody has called are left out. */
static void
write_http (GString *text, VendApi *api)
{
  g_autoptr (GString) durations = g_string_new (NULL);
  vend_exposition_family (text, "vend_http_requests_total", "counter",
                          "HTTP requests by route pattern, method and class of the status.");
  vend_exposition_family (durations, "vend_http_request_duration_seconds", "histogram",
                          "Time from the head of a request to the last byte of its reply, with the "
                          "open time of streams and held replies.");
  for (guint i = 0; i < api->bound->len; i++)
    {
      const ApiBound *bound = g_ptr_array_index (api->bound, i);
      if (!was_called (&bound->stats))
        continue;
      g_autofree char *labels = route_labels (bound);
      write_requests (text, bound, labels);
      vend_exposition_histogram (durations, "vend_http_request_duration_seconds", labels,
                                 &bound->stats.duration, IN_SECONDS);
    }
  g_string_append_len (text, durations->str, (gssize) durations->len);
}

static void
count (GString *text, const char *name, const char *type, const char *help, uint64_t value)
{
  vend_exposition_family (text, name, type, help);
  vend_exposition_count (text, name, "", value);
}

static void
write_store (GString *text, VendStore *store)
{
  const VendStoreStats *stats = vend_store_get_stats (store);
  VendHistogramView commits;
  vend_histogram_view (&stats->commit_us, &commits);
  count (text, "vend_store_commits_total", "counter", "Commits of the store's writer.",
         commits.counts[commits.n_bounds]);
  count (text, "vend_store_failed_writes_total", "counter",
         "Writes that were rolled back after an error.", atomic_load (&stats->failed));
  count (text, "vend_store_waiting_writes", "gauge", "Writes that are queued or being committed.",
         vend_store_backlog (store));
  vend_exposition_family (text, "vend_store_commit_duration_seconds", "histogram",
                          "Time of one commit, with its statements and the wait for the disk.");
  vend_exposition_histogram (text, "vend_store_commit_duration_seconds", "", &stats->commit_us,
                             IN_SECONDS);
  vend_exposition_family (text, "vend_store_commit_writes", "histogram", "Writes in one commit.");
  vend_exposition_histogram (text, "vend_store_commit_writes", "", &stats->group_size, 1);
}

static void
write_webhooks (GString *text, VendWebhooks *webhooks)
{
  static const char *const outcomes[] = { [VEND_DELIVERY_PENDING] = "retry",
                                          [VEND_DELIVERY_DELIVERED] = "delivered",
                                          [VEND_DELIVERY_DEAD] = "dead",
                                          [VEND_DELIVERY_DROPPED] = "dropped" };
  vend_exposition_family (text, "vend_webhook_tries_total", "counter",
                          "Tries to deliver a webhook, by result.");
  for (guint i = 0; i < G_N_ELEMENTS (outcomes); i++)
    {
      g_autofree char *labels = vend_exposition_labels ("outcome", outcomes[i], NULL);
      vend_exposition_count (text, "vend_webhook_tries_total", labels,
                             vend_webhooks_tries (webhooks, (VendDeliveryState) i));
    }
}

static GString *
write_all (VendApi *api)
{
  GString *text = g_string_sized_new (64 * 1024);
  g_autofree char *version = vend_exposition_labels ("version", VEND_VERSION, NULL);
  vend_exposition_family (text, "vend_build_info", "gauge", "Always 1.");
  vend_exposition_count (text, "vend_build_info", version, 1);
  vend_meter_write (api->parts.meter, text);
  write_http (text, api);
  write_store (text, api->parts.store);
  write_webhooks (text, api->parts.webhooks);
  count (text, "vend_open_streams", "gauge", "Event streams with a reader.",
         vend_broadcast_open_readers ());
  vend_process_write (text);
  return text;
}

/* ---- The reply */

typedef struct
{
  VendApi *api;
  VendCall *call;
  GString *text; /* NULL until the connection asks for the text */
  gsize sent;
} Scrape;

static gssize
read_scrape (void *data, char *buffer, gsize room)
{
  Scrape *scrape = data;
  if (scrape->text == NULL)
    scrape->text = write_all (scrape->api);
  const gsize n = MIN (room, scrape->text->len - scrape->sent);
  if (n == 0)
    return VEND_PULL_END;
  memcpy (buffer, scrape->text->str + scrape->sent, n);
  scrape->sent += n;
  return (gssize) n;
}

static bool
is_slow (void *data)
{
  return true;
}

static void
free_scrape (void *data)
{
  Scrape *scrape = data;
  if (scrape->text != NULL)
    g_string_free (scrape->text, TRUE);
  g_free (scrape);
}

static void
measured (void *data)
{
  static const VendPullFuncs funcs = { read_scrape, is_slow, free_scrape, "" };
  Scrape *scrape = data;
  VendCall *call = scrape->call;
  VendSignal *signal = vend_signal_new ();
  VendReply *reply = vend_reply_pull (200, VEND_EXPOSITION_TYPE, signal, &funcs, scrape);
  vend_signal_unref (signal);
  vend_call_reply (call, reply);
}

static bool
metrics (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  Scrape *scrape = g_new0 (Scrape, 1);
  *scrape = (Scrape){ .api = api, .call = call };
  vend_sched_measure (api->parts.sched, measured, scrape);
  return true;
}

const ApiRoute vend_api_metrics_routes[] = {
  { "GET", "/metrics", VEND_SCOPE_ADMIN, VEND_BODY_NONE, metrics, NULL,
    .opened_by = "metrics-public" },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
