/* Metrics of each target. */
#include "meter/meter.h"
#include "meter/exposition.h"
#include <pthread.h>
#include <string.h>

#define MS (G_GINT64_CONSTANT (1000))
#define S (G_GINT64_CONSTANT (1000000))
#define IN_SECONDS 1e6

static const int64_t wait_bounds[]
    = { 5 * MS, 25 * MS, 100 * MS, 250 * MS, 500 * MS, S,       5 * S / 2,
        5 * S,  10 * S,  30 * S,   60 * S,   300 * S,  1800 * S };
static const int64_t boot_bounds[] = { 50 * MS, 100 * MS, 250 * MS, 500 * MS, S,       5 * S / 2,
                                       5 * S,   10 * S,   30 * S,   60 * S,   120 * S, 600 * S };
static const int64_t run_bounds[]
    = { 5 * MS,    10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, S,
        5 * S / 2, 5 * S,   10 * S,  30 * S,  60 * S,   300 * S,  1800 * S };

/* In the order of InstanceState. */
static const char *const state_names[VEND_METER_N_STATES]
    = { "starting", "booting", "ready", "stopping", "gone" };

struct VendMeter
{
  pthread_mutex_t lock; /* guards the two below; series never move and are never freed */
  GHashTable *by_name;  /* "model\ndeployment" → VendMeterSeries, borrowed */
  GPtrArray *series;    /* owned; in the order of their first use */
  guint limit;
  VendMeterSeries *other; /* NULL until first used; in `series` too */
};

static void
series_free (void *data)
{
  VendMeterSeries *series = data;
  g_free (series->labels);
  g_free (series);
}

VendMeter *
vend_meter_new (guint limit)
{
  VendMeter *meter = g_new0 (VendMeter, 1);
  pthread_mutex_init (&meter->lock, NULL);
  meter->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  meter->series = g_ptr_array_new_with_free_func (series_free);
  meter->limit = limit;
  return meter;
}

void
vend_meter_free (VendMeter *meter)
{
  if (meter == NULL)
    return;
  g_hash_table_unref (meter->by_name);
  g_ptr_array_unref (meter->series);
  pthread_mutex_destroy (&meter->lock);
  g_free (meter);
}

static VendMeterSeries *
add_series (VendMeter *meter, const char *model, const char *deployment)
{
  VendMeterSeries *series = g_new0 (VendMeterSeries, 1);
  series->labels = vend_exposition_labels ("model", model, "deployment", deployment, NULL);
  vend_histogram_init (&series->wait, wait_bounds, G_N_ELEMENTS (wait_bounds));
  vend_histogram_init (&series->boot, boot_bounds, G_N_ELEMENTS (boot_bounds));
  vend_histogram_init (&series->run, run_bounds, G_N_ELEMENTS (run_bounds));
  g_ptr_array_add (meter->series, series);
  return series;
}

VendMeterSeries *
vend_meter_series (VendMeter *meter, const char *model, const char *deployment)
{
  const char *named = deployment != NULL ? deployment : "";
  g_autofree char *key = g_strconcat (model, "\n", named, NULL);
  pthread_mutex_lock (&meter->lock);
  VendMeterSeries *series = g_hash_table_lookup (meter->by_name, key);
  if (series == NULL && g_hash_table_size (meter->by_name) < meter->limit)
    {
      series = add_series (meter, model, named);
      g_hash_table_insert (meter->by_name, g_steal_pointer (&key), series);
    }
  else if (series == NULL)
    {
      if (meter->other == NULL)
        meter->other = add_series (meter, "other", "");
      series = meter->other;
    }
  pthread_mutex_unlock (&meter->lock);
  return series;
}

/* Only the core thread adds series, so it needs no lock to walk over them. */
void
vend_meter_begin_gauges (VendMeter *meter)
{
  for (guint i = 0; i < meter->series->len; i++)
    ((VendMeterSeries *) g_ptr_array_index (meter->series, i))->next = (VendMeterGauges){ 0 };
}

void
vend_meter_end_gauges (VendMeter *meter)
{
  for (guint i = 0; i < meter->series->len; i++)
    {
      VendMeterSeries *series = g_ptr_array_index (meter->series, i);
      atomic_store (&series->queued, series->next.queued);
      atomic_store (&series->running, series->next.running);
      for (guint state = 0; state < VEND_METER_N_STATES; state++)
        atomic_store (&series->instances[state], series->next.instances[state]);
    }
}

/* ---- The text */

static void
write_ended (GString *text, VendMeterSeries *series)
{
  for (guint status = 0; status < VEND_STATUS_N; status++)
    {
      if (!vend_status_is_terminal ((VendStatus) status))
        continue;
      g_autofree char *label
          = vend_exposition_labels ("status", vend_status_name ((VendStatus) status), NULL);
      g_autofree char *labels = g_strconcat (series->labels, ",", label, NULL);
      vend_exposition_count (text, "vend_predictions_total", labels,
                             atomic_load (&series->ended[status]));
    }
}

static void
write_instances (GString *text, VendMeterSeries *series)
{
  for (guint state = 0; state < VEND_METER_N_STATES; state++)
    {
      g_autofree char *labels
          = g_strdup_printf ("%s,state=\"%s\"", series->labels, state_names[state]);
      vend_exposition_count (text, "vend_instances", labels,
                             atomic_load (&series->instances[state]));
    }
}

static void
write_queued (GString *text, VendMeterSeries *series)
{
  vend_exposition_count (text, "vend_queued_predictions", series->labels,
                         atomic_load (&series->queued));
}

static void
write_running (GString *text, VendMeterSeries *series)
{
  vend_exposition_count (text, "vend_running_predictions", series->labels,
                         atomic_load (&series->running));
}

static void
write_lost (GString *text, VendMeterSeries *series)
{
  vend_exposition_count (text, "vend_lost_attempts_total", series->labels,
                         atomic_load (&series->lost));
}

static void
write_boot_failures (GString *text, VendMeterSeries *series)
{
  vend_exposition_count (text, "vend_boot_failures_total", series->labels,
                         atomic_load (&series->boot_failures));
}

static void
write_fast_starts (GString *text, VendMeterSeries *series)
{
  vend_exposition_count (text, "vend_fast_starts_total", series->labels,
                         atomic_load (&series->fast_starts));
}

static void
write_wait (GString *text, VendMeterSeries *series)
{
  vend_exposition_histogram (text, "vend_queue_wait_seconds", series->labels, &series->wait,
                             IN_SECONDS);
}

static void
write_boot (GString *text, VendMeterSeries *series)
{
  vend_exposition_histogram (text, "vend_boot_seconds", series->labels, &series->boot, IN_SECONDS);
}

static void
write_run (GString *text, VendMeterSeries *series)
{
  vend_exposition_histogram (text, "vend_run_seconds", series->labels, &series->run, IN_SECONDS);
}

static const struct
{
  const char *name, *type, *help;
  void (*write) (GString *text, VendMeterSeries *series);
} families[] = {
  { "vend_queued_predictions", "gauge", "Predictions that wait for an instance.", write_queued },
  { "vend_running_predictions", "gauge", "Predictions that were given to an instance.",
    write_running },
  { "vend_instances", "gauge", "Instances by state.", write_instances },
  { "vend_predictions_total", "counter", "Predictions that ended, by how.", write_ended },
  { "vend_lost_attempts_total", "counter", "Attempts that were lost with their instance.",
    write_lost },
  { "vend_boot_failures_total", "counter", "Instances that did not become ready.",
    write_boot_failures },
  { "vend_fast_starts_total", "counter",
    "Instances that became ready from a process with the imports loaded.", write_fast_starts },
  { "vend_queue_wait_seconds", "histogram",
    "From the creation of a prediction until it is given to an instance for the first time.",
    write_wait },
  { "vend_boot_seconds", "histogram", "From the start of an instance until it is ready.",
    write_boot },
  { "vend_run_seconds", "histogram", "Running time of predictions, as it is metered.", write_run },
};

void
vend_meter_write (VendMeter *meter, GString *text)
{
  pthread_mutex_lock (&meter->lock);
  const guint n = meter->series->len;
  g_autofree VendMeterSeries **all = g_memdup2 (meter->series->pdata, n * sizeof *all);
  pthread_mutex_unlock (&meter->lock);
  for (gsize f = 0; f < G_N_ELEMENTS (families); f++)
    {
      vend_exposition_family (text, families[f].name, families[f].type, families[f].help);
      for (guint i = 0; i < n; i++)
        families[f].write (text, all[i]);
    }
}
