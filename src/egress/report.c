/* Reports of a proxy. */
#include "egress/report.h"
#include "base/fd-source.h"

typedef struct
{
  VendProxyReport sum; /* since the last report */
  char *host;
  char *address;
} Line;

struct VendProxyReporter
{
  VendProxyOptions options;
  GHashTable *lines; /* kind → Line, of this while */
  guint64 left_out;
  GSource *timer; /* runs while there are lines */
};

static const char *const names[VEND_PROXY_N_VERDICTS]
    = { "passed", "refused", "unknown-host", "unreachable", "timeout", "invalid" };

const char *
vend_proxy_verdict_name (VendProxyVerdict verdict)
{
  return names[verdict];
}

static void
line_free (void *data)
{
  Line *line = data;
  g_free (line->host);
  g_free (line->address);
  g_free (line);
}

VendProxyReporter *
vend_proxy_reporter_new (const VendProxyOptions *options)
{
  VendProxyReporter *reporter = g_new0 (VendProxyReporter, 1);
  reporter->options = *options;
  reporter->lines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, line_free);
  return reporter;
}

static void
tell (const VendProxyReporter *reporter, const VendProxyReport *report)
{
  if (reporter->options.report != NULL)
    reporter->options.report (report, reporter->options.data);
}

static void
flush (VendProxyReporter *reporter)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, reporter->lines);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Line *line = value;
      if (line->sum.connections > 0 || line->sum.sent > 0 || line->sum.received > 0)
        tell (reporter, &line->sum);
    }
  g_hash_table_remove_all (reporter->lines);
  if (reporter->left_out > 0)
    tell (reporter, &(VendProxyReport){ .left_out = reporter->left_out });
  reporter->left_out = 0;
}

void
vend_proxy_reporter_free (VendProxyReporter *reporter)
{
  if (reporter == NULL)
    return;
  vend_gsource_clear (&reporter->timer);
  flush (reporter);
  g_hash_table_unref (reporter->lines);
  g_free (reporter);
}

static gboolean
on_timer (void *user_data)
{
  VendProxyReporter *reporter = user_data;
  vend_gsource_clear (&reporter->timer);
  flush (reporter);
  return G_SOURCE_REMOVE;
}

static void
start_timer (VendProxyReporter *reporter)
{
  if (reporter->timer != NULL)
    return;
  reporter->timer = g_timeout_source_new (VEND_PROXY_REPORT_US / 1000);
  g_source_set_callback (reporter->timer, on_timer, reporter, NULL);
  g_source_attach (reporter->timer, reporter->options.context);
}

void
vend_proxy_reporter_add (VendProxyReporter *reporter, const VendProxyReport *report)
{
  g_autofree char *kind
      = g_strdup_printf ("%s %s:%u %s", names[report->verdict], report->host ? report->host : "",
                         report->port, report->address ? report->address : "");
  Line *line = g_hash_table_lookup (reporter->lines, kind);
  start_timer (reporter);
  if (line != NULL)
    {
      line->sum.connections += report->connections;
      line->sum.sent += report->sent;
      line->sum.received += report->received;
      return;
    }
  if (g_hash_table_size (reporter->lines) >= VEND_PROXY_REPORT_LINES)
    {
      reporter->left_out += report->connections;
      return;
    }
  tell (reporter, report);
  line = g_new0 (Line, 1);
  line->host = g_strdup (report->host);
  line->address = g_strdup (report->address);
  line->sum = (VendProxyReport){
    .verdict = report->verdict, .host = line->host, .port = report->port, .address = line->address
  };
  g_hash_table_insert (reporter->lines, g_steal_pointer (&kind), line);
}
