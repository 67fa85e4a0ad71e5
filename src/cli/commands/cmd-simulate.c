/* `vend simulate`: scheduling policies on a trace. Main thread only; talks to no server. */
#include "base/count.h"
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/commands/chart.h"
#include "cli/arguments/options.h"
#include "cli/terminal/table.h"
#include "cli/terminal/terminal.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/settings.h"
#include "policy/simulate.h"
#include <glib/gstdio.h>
#include <string.h>

#define N_POLICIES (VEND_POLICY_FIXED_TIMEOUT + 1)
#define MAX_TRACE_BYTES ((gsize) 1 << 30)
#define MAX_HARDWARE 10000
#define DEFAULT_MODELS 50
#define DEFAULT_HOURS 24
#define DEFAULT_SEED 1
#define MAX_HOURS (366 * 24)
/* Requests an hour and unit, unless a rate is given: their runs take 40 % of the hardware. */
#define SYNTHETIC_RATE 50.0

typedef struct
{
  gboolean is_synthetic;
  gboolean is_json;
  int models;
  double hours;
  double rate;
  gint64 seed;
  char *policy;
  int hardware;
  int slots;
  int max_instances;
  int boot_limit;
  int target;
  double price;
  char *idle_timeout;
  char *scale_down_delay;
  char *stop_time;
  char *starvation_bound;
  char *chart; /* a path, "-" or NULL */
  char *waits;
} Asked;

static void
asked_clear (Asked *asked)
{
  g_free (asked->policy);
  g_free (asked->idle_timeout);
  g_free (asked->scale_down_delay);
  g_free (asked->stop_time);
  g_free (asked->starvation_bound);
  g_free (asked->chart);
  g_free (asked->waits);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Asked, asked_clear)

/* Options of a synthetic trace have no effect on the user's own trace. */
static bool
check_synthetic (const Asked *asked, GError **error)
{
  const char *said = vend_argument_is_said (asked->models)          ? "models"
                     : vend_argument_is_said (asked->hours)         ? "hours"
                     : vend_argument_is_said (asked->rate)          ? "rate"
                     : vend_argument_is_said ((double) asked->seed) ? "seed"
                                                                    : NULL;
  return asked->is_synthetic || said == NULL
         || vend_fail (error, VEND_ERROR_INVALID, "--%s needs --synthetic", said);
}

static void
fill_in (Asked *asked)
{
  if (!vend_argument_is_said (asked->models))
    asked->models = DEFAULT_MODELS;
  if (!vend_argument_is_said (asked->hours))
    asked->hours = DEFAULT_HOURS;
  if (!vend_argument_is_said (asked->rate))
    asked->rate = SYNTHETIC_RATE * asked->hardware;
  if (!vend_argument_is_said ((double) asked->seed))
    asked->seed = DEFAULT_SEED;
}

static bool
check_size (const Asked *asked, GError **error)
{
  return asked->hours * asked->rate <= VEND_TRACE_MAX_REQUESTS
         || vend_fail (error, VEND_ERROR_INVALID,
                       "--hours and --rate: expected at most %d requests, got %.10g",
                       VEND_TRACE_MAX_REQUESTS, asked->hours * asked->rate);
}

static bool
check (const Asked *asked, GError **error)
{
  return vend_argument_range_check ("hardware", asked->hardware, 1, MAX_HARDWARE, error)
         && vend_argument_range_check ("models", asked->models, 1, VEND_TRACE_MAX_MODELS, error)
         && vend_argument_range_check ("hours", asked->hours, 0.01, MAX_HOURS, error)
         && vend_argument_range_check ("rate", asked->rate, 0.001, 1e6, error)
         && vend_argument_range_check ("seed", (double) asked->seed, 0, G_MAXUINT32, error)
         && vend_argument_range_check ("slots", asked->slots, 1, 256, error)
         && vend_argument_range_check ("max-instances", asked->max_instances, 0, MAX_HARDWARE,
                                       error)
         && vend_argument_range_check ("boot-limit", asked->boot_limit, 0, MAX_HARDWARE, error)
         && vend_argument_range_check ("target", asked->target, 1, 100, error)
         && vend_argument_range_check ("price", asked->price, 0, 1e9, error);
}

static bool
read_duration (const char *name, const char *text, int64_t *out_us, GError **error)
{
  if (text == NULL || vend_duration_parse (text, out_us, error))
    return true;
  g_prefix_error (error, "--%s: ", name);
  return false;
}

/* Hardware that is there costs nothing more when models stay on it, so they do, unless a timeout
 * is given. */
static bool
make_simulation (const Asked *asked, VendSimulation *out, GError **error)
{
  VendSimulation simulation = {
    .hardware_units = (guint) asked->hardware,
    .boot_limit = (guint) asked->boot_limit,
    .max_instances = (guint) asked->max_instances,
    .slots = (guint) asked->slots,
    .target = asked->target / 100.0,
    .on_demand = asked->idle_timeout == NULL,
    .idle_timeout_us = 300 * VEND_US_PER_S,
    .scale_down_delay_us = 60 * VEND_US_PER_S,
    .starvation_us = 600 * VEND_US_PER_S,
  };
  if (!read_duration ("idle-timeout", asked->idle_timeout, &simulation.idle_timeout_us, error)
      || !read_duration ("scale-down-delay", asked->scale_down_delay,
                         &simulation.scale_down_delay_us, error)
      || !read_duration ("starvation-bound", asked->starvation_bound, &simulation.starvation_us,
                         error)
      || !read_duration ("stop-time", asked->stop_time, &simulation.stop_us, error))
    return false;
  *out = simulation;
  return true;
}

static bool
read_trace (const char *path, VendTrace **out, GError **error)
{
  const bool is_input = strcmp (path, "-") == 0;
  const char *name = is_input ? "standard input" : path;
  g_autofree char *text = NULL;
  gsize size = 0;
  if (is_input ? !vend_fd_read_all (STDIN_FILENO, name, MAX_TRACE_BYTES, &text, &size, error)
               : !vend_argument_file_check (path, error)
                     || !vend_file_read (path, MAX_TRACE_BYTES, &text, &size, error))
    return false;
  if (vend_trace_parse (text, size, out, error))
    return true;
  g_prefix_error (error, "%s: ", name);
  return false;
}

static bool
make_trace (const Asked *asked, char **words, VendTrace **out, GError **error)
{
  if (asked->is_synthetic && words[0] != NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "expected either a trace ('%.200s') or --synthetic", words[0]);
  if (!asked->is_synthetic && words[0] == NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "expected a trace, - for standard input, or --synthetic; "
                      "see 'vend simulate --help'");
  if (!asked->is_synthetic)
    return read_trace (words[0], out, error);
  const VendSynthetic options = {
    .models = (guint) asked->models,
    .hours = asked->hours,
    .rate = asked->rate,
    .seed = (guint32) asked->seed,
  };
  g_autoptr (VendTrace) trace = vend_trace_synthetic (&options);
  if (trace->requests->len == 0)
    return vend_fail (error, VEND_ERROR_INVALID, "no requests in %g hours; raise --rate or --hours",
                      asked->hours);
  *out = g_steal_pointer (&trace);
  return true;
}

/* ---- Output */

static double
cost_of (const Asked *asked, const VendSimulated *result)
{
  return asked->price * (result->busy_hours + result->loading_hours + result->idle_hours);
}

static json_t *
result_json (VendPolicy policy, const Asked *asked, const VendSimulated *r)
{
  json_t *wait
      = json_pack ("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "mean", r->wait_mean_s, "p50",
                   r->wait_p50_s, "p90", r->wait_p90_s, "p95", r->wait_p95_s, "p99", r->wait_p99_s,
                   "max", r->wait_max_s, "over_least_max", r->wait_over_least_max_s);
  return json_pack ("{s:s, s:o, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "policy",
                    vend_policy_name (policy), "wait_seconds", wait, "cold_starts",
                    (json_int_t) r->cold_starts, "evictions", (json_int_t) r->evictions, "late",
                    (json_int_t) r->late, "beyond", (json_int_t) r->beyond, "hours", r->hours,
                    "busy_hours", r->busy_hours, "loading_hours", r->loading_hours, "idle_hours",
                    r->idle_hours, "cost", cost_of (asked, r));
}

static void
add_row (VendTable *table, VendPolicy policy, const Asked *asked, const VendSimulated *r)
{
  const double seconds[] = { r->wait_mean_s, r->wait_p50_s, r->wait_p90_s,
                             r->wait_p95_s,  r->wait_p99_s, r->wait_max_s };
  char waits[6][32], hours[3][32], counts[2][32], cost[32];
  for (guint i = 0; i < 6; i++)
    g_snprintf (waits[i], sizeof waits[i], "%.1f", seconds[i]);
  g_snprintf (counts[0], sizeof counts[0], "%u", r->cold_starts);
  g_snprintf (counts[1], sizeof counts[1], "%u", r->late);
  g_snprintf (hours[0], sizeof hours[0], "%.1f", r->busy_hours);
  g_snprintf (hours[1], sizeof hours[1], "%.1f", r->loading_hours);
  g_snprintf (hours[2], sizeof hours[2], "%.1f", r->idle_hours);
  g_snprintf (cost, sizeof cost, "%.2f", cost_of (asked, r));
  vend_table_add (table, vend_policy_name (policy), waits[0], waits[1], waits[2], waits[3],
                  waits[4], waits[5], counts[1], counts[0], hours[0], hours[1], hours[2], cost);
}

/* The trace once more, with the wait of each request. */
static bool
write_waits (const char *path, const VendTrace *trace, const GArray *waits, GError **error)
{
  g_autoptr (GString) text = g_string_new ("time_s,model,run_s,load_s,wait_s\n");
  for (guint i = 0; i < trace->requests->len; i++)
    {
      const VendTraceRequest *request = &g_array_index (trace->requests, VendTraceRequest, i);
      const VendTraceModel *model = &g_array_index (trace->models, VendTraceModel, request->model);
      g_string_append_printf (
          text, "%.6f,%s,%.6f,%.6f,%.6f\n", (double) request->at_us / VEND_US_PER_S, model->name,
          (double) request->run_us / VEND_US_PER_S,
          (double) vend_trace_load_us (trace, request->model, request->at_us) / VEND_US_PER_S,
          g_array_index (waits, double, i));
    }
  return g_file_set_contents (path, text->str, (gssize) text->len, error);
}

typedef struct
{
  VendSimulated results[N_POLICIES];
  VendPolicy policies[N_POLICIES];
  guint n;
} Results;

static void
show (const Asked *asked, const VendTrace *trace, const Results *results)
{
  static const char *const columns[]
      = { "POLICY", "MEAN",  "P50",    "P90",       "P95",    "P99",  "MAX s",
          "LATE",   "LOADS", "BUSY h", "LOADING h", "IDLE h", "COST", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  json_auto_t *list = json_array ();
  for (guint i = 1; columns[i] != NULL; i++)
    vend_table_align_right (table, i);
  for (guint i = 0; i < results->n; i++)
    {
      json_array_append_new (list, result_json (results->policies[i], asked, &results->results[i]));
      add_row (table, results->policies[i], asked, &results->results[i]);
    }
  if (asked->is_json)
    {
      json_auto_t *all = json_pack (
          "{s:I, s:I, s:i, s:O}", "requests", (json_int_t) trace->requests->len, "models",
          (json_int_t) trace->models->len, "hardware", asked->hardware, "results", list);
      vend_terminal_json (all);
      return;
    }
  g_autofree char *requests = vend_count_text (trace->requests->len, "request", "requests");
  g_autofree char *models = vend_count_text (trace->models->len, "model", "models");
  g_autofree char *units = vend_count_text ((uint64_t) asked->hardware, "unit", "units");
  vend_terminal_note ("%s to %s on %s; waits in seconds", requests, models, units);
  vend_table_print (table);
}

/* The trace is not lost for its result. */
static bool
check_waits (const Asked *asked, const char *trace, GError **error)
{
  GStatBuf read, written;
  if (asked->waits == NULL)
    return true;
  if (g_strcmp0 (asked->policy, "all") == 0)
    return vend_fail (error, VEND_ERROR_INVALID, "--waits: expected one policy, not all");
  if (g_lstat (asked->waits, &written) < 0)
    return true;
  /* The new file would replace a device, pipe or link, such as /dev/stdout. */
  if (!S_ISREG (written.st_mode))
    return vend_fail (error, VEND_ERROR_INVALID, "--waits: '%.200s' is not a plain file",
                      asked->waits);
  if (trace != NULL && g_stat (trace, &read) == 0 && read.st_dev == written.st_dev
      && read.st_ino == written.st_ino)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "--waits: '%.200s' is the trace; expected another file", asked->waits);
  return true;
}

static bool
draw (const Asked *asked, const VendTrace *trace, const Results *results, GError **error)
{
  VendChartLine lines[N_POLICIES];
  for (guint i = 0; i < results->n; i++)
    lines[i] = (VendChartLine){ .name = vend_policy_name (results->policies[i]),
                                .result = &results->results[i],
                                .cost = cost_of (asked, &results->results[i]) };
  const VendChart chart = { .requests = trace->requests->len,
                            .models = trace->models->len,
                            .units = (guint) asked->hardware,
                            .lines = lines,
                            .n_lines = results->n };
  return vend_chart_draw (&chart, asked->chart, error);
}

static bool
simulate (const Asked *asked, const VendTrace *trace, VendSimulation simulation, bool is_wanted[],
          GError **error)
{
  Results results = { .n = 0 };
  g_autoptr (GArray) waits
      = asked->waits != NULL ? g_array_new (FALSE, FALSE, sizeof (double)) : NULL;
  simulation.waits = waits;
  for (guint i = 0; i < N_POLICIES; i++)
    {
      if (!is_wanted[i])
        continue;
      simulation.policy = results.policies[results.n] = (VendPolicy) i;
      vend_simulate (trace, &simulation, &results.results[results.n++]);
    }
  if (waits != NULL && !write_waits (asked->waits, trace, waits, error))
    return false;
  show (asked, trace, &results);
  return asked->chart == NULL || draw (asked, trace, &results, error);
}

static bool
check_chart (const Asked *asked, GError **error)
{
  if (asked->chart == NULL)
    return true;
  if (asked->is_json && strcmp (asked->chart, "-") == 0)
    return vend_fail (error, VEND_ERROR_INVALID, "expected either --json or --chart -");
  return vend_chart_check (asked->chart, error);
}

static bool
read_policy (const char *name, bool is_wanted[], GError **error)
{
  VendPolicy policy;
  bool is_all = g_strcmp0 (name, "all") == 0;
  if (name != NULL && !is_all && !vend_policy_parse (name, &policy))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "--policy: expected vend, fcfs-lru, fixed-timeout or all, not '%s'", name);
  if (name == NULL)
    policy = VEND_POLICY_VEND;
  for (guint i = 0; i < N_POLICIES; i++)
    is_wanted[i] = is_all || i == (guint) policy;
  return true;
}

static bool
run (int argc, char **argv, GError **error)
{
  g_auto (Asked) asked = { .models = VEND_ARGUMENT_NOT_SAID,
                           .hours = VEND_ARGUMENT_NOT_SAID,
                           .rate = VEND_ARGUMENT_NOT_SAID,
                           .seed = VEND_ARGUMENT_NOT_SAID,
                           .hardware = 4,
                           .slots = 1,
                           .target = 100 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendTrace) trace = NULL;
  VendSimulation simulation;
  bool is_wanted[N_POLICIES];
  const GOptionEntry entries[] = {
    { "synthetic", 0, 0, G_OPTION_ARG_NONE, &asked.is_synthetic, "generate a synthetic trace",
      NULL },
    { "models", 0, 0, G_OPTION_ARG_INT, &asked.models, "models of the synthetic trace (50)", "N" },
    { "hours", 0, 0, G_OPTION_ARG_DOUBLE, &asked.hours,
      "length of the synthetic trace in hours (24)", "H" },
    { "rate", 0, 0, G_OPTION_ARG_DOUBLE, &asked.rate,
      "requests per hour of the synthetic trace (50 per unit)", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &asked.seed, "random seed of the synthetic trace (1)",
      "N" },
    { "policy", 0, 0, G_OPTION_ARG_STRING, &asked.policy,
      "scheduling policy: vend (default), fcfs-lru, fixed-timeout or all", "NAME" },
    { "hardware", 0, 0, G_OPTION_ARG_INT, &asked.hardware,
      "units of hardware; an instance takes one (4)", "N" },
    { "slots", 0, 0, G_OPTION_ARG_INT, &asked.slots, "concurrent runs per instance (1)", "N" },
    { "max-instances", 0, 0, G_OPTION_ARG_INT, &asked.max_instances,
      "most instances per model (all units)", "N" },
    { "boot-limit", 0, 0, G_OPTION_ARG_INT, &asked.boot_limit, "concurrent loads (all units)",
      "N" },
    { "target", 0, 0, G_OPTION_ARG_INT, &asked.target,
      "target utilization in percent, as the setting (100)", "PERCENT" },
    { "idle-timeout", 0, 0, G_OPTION_ARG_STRING, &asked.idle_timeout,
      "as the setting; default: models stay loaded until they are evicted", "DURATION" },
    { "scale-down-delay", 0, 0, G_OPTION_ARG_STRING, &asked.scale_down_delay,
      "as the setting (60s)", "DURATION" },
    { "stop-time", 0, 0, G_OPTION_ARG_STRING, &asked.stop_time,
      "time from the stop of an instance until its hardware is free; policy vend only (0s)",
      "DURATION" },
    { "starvation-bound", 0, 0, G_OPTION_ARG_STRING, &asked.starvation_bound,
      "as the setting (600s)", "DURATION" },
    { "price", 0, 0, G_OPTION_ARG_DOUBLE, &asked.price, "price per hour of a unit in use (0)",
      "P" },
    { "chart", 0, 0, G_OPTION_ARG_FILENAME, &asked.chart,
      "draw waits and hours into FILE.svg, .png or .pdf, or waits as text for -; needs gnuplot",
      "FILE" },
    { "waits", 0, 0, G_OPTION_ARG_FILENAME, &asked.waits,
      "write the trace with the wait of each request", "FILE" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &asked.is_json, "print JSON", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "simulate",
    .usage = "TRACE | - | --synthetic",
    .summary
    = "Simulates the waits of the requests of a trace and the cost of the hardware. TRACE is\n"
      "a file with lines of time_s,model,run_s[,load_s]; - is standard input.",
    .entries = entries,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error) || !check_synthetic (&asked, error))
    return false;
  fill_in (&asked);
  if (!check (&asked, error) || !check_size (&asked, error)
      || !read_policy (asked.policy, is_wanted, error) || !check_chart (&asked, error)
      || !check_waits (&asked, words[0], error) || !make_simulation (&asked, &simulation, error)
      || !make_trace (&asked, words, &trace, error))
    return false;
  return simulate (&asked, trace, simulation, is_wanted, error);
}

int
vend_cmd_simulate (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = run (argc, argv, &error);
  return vend_exit_code (good, error);
}
