/* `vend advise`: an account's own history under other settings, and what is recommended. The server
 * tells the history; everything else is reckoned here. Main thread only. */
#include "base/count.h"
#include "cli/commands.h"
#include "cli/commands/advise-text.h"
#include "cli/arguments/arguments.h"
#include "cli/commands/history.h"
#include "cli/terminal/table.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/terminal/terminal.h"
#include <math.h>
#include <stdio.h>

/* Of those with most requests; each takes a dozen simulations. */
#define MAX_ITEMS 20
#define DEFAULT_MONTHS 36
#define LEAST_HISTORY_US (3600 * VEND_US_PER_S)

typedef struct
{
  VendConnection connection;
  char *account;
  char *history_file; /* "-": standard input; NULL: the server is asked */
  double days;
  double price;
  double wait_weight;
  double own_price;
  double hardware_cost;
  double months;
  double power_watts;
  double kwh_price;
  int own_units;
} Asked;

static void
asked_clear (Asked *asked)
{
  vend_connection_clear (&asked->connection);
  g_free (asked->account);
  g_free (asked->history_file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Asked, asked_clear)

/* One model or deployment with its advice. */
typedef struct
{
  VendAdvice *advice;
  VendAdviseAbout about;
} Report;

static void
report_free (void *data)
{
  Report *report = data;
  vend_advice_free (report->advice);
  g_free (report);
}

static bool
check_said (const char *name, double value, double least, double most, GError **error)
{
  return !vend_argument_is_said (value)
         || vend_argument_range_check (name, value, least, most, error);
}

/* Options of own hardware have no effect without its price. */
static bool
check_own (const Asked *asked, GError **error)
{
  const bool has_cost = vend_argument_is_said (asked->hardware_cost),
             has_price = vend_argument_is_said (asked->own_price);
  if (has_cost && has_price)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "expected either --own-price-per-hour or --hardware-cost");
  if (vend_argument_is_said (asked->months) && !has_cost)
    return vend_fail (error, VEND_ERROR_INVALID, "--months needs --hardware-cost");
  const char *said = vend_argument_is_said (asked->own_units)     ? "own-units"
                     : vend_argument_is_said (asked->power_watts) ? "power-watts"
                     : vend_argument_is_said (asked->kwh_price)   ? "kwh-price"
                                                                  : NULL;
  if (said != NULL && !has_cost && !has_price)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "--%s needs --own-price-per-hour or --hardware-cost", said);
  return vend_argument_is_said (asked->power_watts) == vend_argument_is_said (asked->kwh_price)
         || vend_fail (error, VEND_ERROR_INVALID,
                       "expected --power-watts and --kwh-price together");
}

static bool
check (const Asked *asked, GError **error)
{
  if (asked->history_file != NULL && asked->account != NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "expected either --history or --account");
  return vend_argument_range_check ("days", asked->days, 0.01, 366, error)
         && check_said ("price", asked->price, 0, 1e6, error)
         && vend_argument_range_check ("wait-weight", asked->wait_weight, 0, 1e6, error)
         && check_said ("own-price-per-hour", asked->own_price, 0, 1e6, error)
         && check_said ("hardware-cost", asked->hardware_cost, 0, 1e12, error)
         && check_said ("months", asked->months, 1, 240, error)
         && check_said ("power-watts", asked->power_watts, 0, 1e7, error)
         && check_said ("kwh-price", asked->kwh_price, 0, 1e6, error)
         && check_said ("own-units", asked->own_units, 1, 1000, error) && check_own (asked, error);
}

static void
fill_in (Asked *asked)
{
  if (!vend_argument_is_said (asked->months))
    asked->months = DEFAULT_MONTHS;
  if (!vend_argument_is_said (asked->own_units))
    asked->own_units = 1;
  if (!vend_argument_is_said (asked->power_watts))
    asked->power_watts = asked->kwh_price = 0;
}

/* ---- Reckoning */

static Report *
report_new (const Asked *asked, const VendHistory *history, const VendHistoryItem *item)
{
  const VendAdviseQuestion question = {
    .trace = item->trace,
    .until_us = history->until_us,
    .now = { .min_instances = item->min_instances,
             .max_instances = item->max_instances,
             .on_demand = item->on_demand,
             .idle_timeout_us = item->idle_timeout_us },
    .room = item->room,
    .slots = item->slots,
    .target = item->target,
    .scale_down_delay_us = item->scale_down_delay_us,
    .wait_weight = asked->wait_weight,
  };
  Report *report = g_new0 (Report, 1);
  report->advice = vend_advise (&question);
  report->about = (VendAdviseAbout){ .item = item,
                                     .advice = report->advice,
                                     .price = vend_argument_is_said (asked->price) ? asked->price
                                                                                   : item->price,
                                     .wait_weight = asked->wait_weight };
  return report;
}

/* A month would be made of a few minutes. */
static bool
is_too_short (const VendHistory *history, const VendHistoryItem *item)
{
  const VendTraceRequest *first = &g_array_index (item->trace->requests, VendTraceRequest, 0);
  return history->until_us - first->at_us < LEAST_HISTORY_US;
}

static GPtrArray *
reckon (const Asked *asked, const VendHistory *history)
{
  GPtrArray *reports = g_ptr_array_new_with_free_func (report_free);
  g_autoptr (VendProgress) progress = vend_progress_new ();
  for (guint i = 0; i < history->items->len && reports->len < MAX_ITEMS; i++)
    {
      const VendHistoryItem *item = g_ptr_array_index (history->items, i);
      /* A deleted target has no settings to compare with. */
      if (!item->is_known || item->trace->requests->len == 0 || is_too_short (history, item))
        continue;
      g_autofree char *requests
          = vend_count_text (item->trace->requests->len, "request", "requests");
      vend_progress_show (progress, "simulating %s to %s", requests, item->name);
      g_ptr_array_add (reports, report_new (asked, history, item));
    }
  return reports;
}

/* False when no option asks about own hardware. */
static bool
reckon_own (const Asked *asked, const VendHistory *history, const GPtrArray *reports,
            VendAdviseOwn *out, GError **error)
{
  double rented = 0, wait_s = 0;
  guint n = 0;
  *out = (VendAdviseOwn){ .units = (guint) asked->own_units };
  if (vend_argument_is_said (asked->own_price))
    out->unit_month = asked->own_price * VEND_MONTH_HOURS;
  else
    out->unit_month = asked->hardware_cost / asked->months;
  out->unit_month += asked->power_watts / 1000 * VEND_MONTH_HOURS * asked->kwh_price;
  for (guint i = 0; i < reports->len; i++)
    {
      const Report *report = g_ptr_array_index (reports, i);
      const VendAdviseVariant *best = vend_advice_at (report->advice, report->advice->best);
      const double seconds = vend_advise_billed_s (&report->about, report->advice->best);
      if (report->about.price < 0)
        return vend_fail (error, VEND_ERROR_INVALID,
                          "%s has no price; set the price of a rented second with --price",
                          report->about.item->name);
      out->billed_s += seconds;
      rented += seconds * report->about.price;
      wait_s += best->wait_s;
      n += best->result.requests;
    }
  out->price = out->billed_s > 0 ? rented / out->billed_s : 0;
  out->rented_wait_s = n > 0 ? wait_s / n : 0;
  const VendSimulation simulation = {
    .policy = VEND_POLICY_VEND,
    .hardware_units = out->units,
    .slots = 1,
    .target = 1,
    .on_demand = true,
    .starvation_us = 600 * VEND_US_PER_S,
  };
  vend_simulate (history->trace, &simulation, &out->owned);
  return true;
}

/* ---- Output */

static void
print_sentences (char **sentences)
{
  for (guint i = 0; sentences[i] != NULL; i++)
    vend_terminal_print ("%s\n", sentences[i]);
}

static void
add_variant (VendTable *table, const VendAdviseAbout *about, guint index)
{
  const VendAdviseVariant *v = vend_advice_at (about->advice, index);
  const VendSimulated *r = &v->result;
  const double scale = about->advice->hours > 0 ? VEND_MONTH_HOURS / about->advice->hours : 0;
  const double hours[] = { r->loading_hours * scale, r->busy_hours * scale, r->idle_hours * scale };
  g_autofree char *setting = vend_advise_setting_text (&v->setting);
  g_autofree char *mean = vend_advise_time_text (r->wait_mean_s);
  g_autofree char *p95 = vend_advise_time_text (r->wait_p95_s);
  g_autofree char *most = vend_advise_time_text (r->wait_max_s);
  g_autofree char *cost
      = about->price >= 0
            ? vend_advise_money_text (vend_advise_billed_s (about, index) * about->price)
            : g_strdup ("-");
  char loads[32], cells[3][32];
  g_snprintf (loads, sizeof loads, "%u", r->cold_starts);
  for (guint i = 0; i < 3; i++)
    g_snprintf (cells[i], sizeof cells[i], "%.1f", hours[i]);
  const bool is_best = index == about->advice->best;
  vend_table_add (table,
                  index == 0 ? (is_best ? "now, best" : "now")
                  : is_best  ? "best"
                             : "",
                  setting, mean, p95, most, loads, cells[0], cells[1], cells[2], cost);
}

static void
print_report (const VendHistory *history, const Report *report)
{
  static const char *const columns[] = { "",          "MIN-MAX, IDLE TIMEOUT",
                                         "WAIT",      "P95",
                                         "MAX",       "LOADS",
                                         "LOADING h", "BUSY h",
                                         "IDLE h",    "COST",
                                         NULL };
  const VendAdviseAbout *about = &report->about;
  const VendHistoryItem *item = about->item;
  g_autoptr (VendTable) table = vend_table_new (columns);
  g_auto (GStrv) sentences = vend_advise_recommend (about);
  g_autofree char *run = vend_advise_time_text (report->advice->run_s);
  g_autofree char *load = vend_advise_time_text (item->load_s);
  g_autofree char *waited = vend_advise_time_text (item->wait_mean_s);
  g_autofree char *requests = vend_count_text (item->trace->requests->len, "request", "requests");
  for (guint column = 2; column <= 9; column++)
    vend_table_align_right (table, column);
  vend_terminal_print (
      "%s%s on %s: %s in %.1f hours, runs of %s; a load takes %s%s. They waited %s on "
      "average.\n\n",
      item->name, item->is_deployment ? " (deployment)" : "", item->hardware, requests,
      report->advice->hours, run, load, item->is_load_known ? "" : " (assumed)", waited);
  for (guint i = 0; i < report->advice->variants->len; i++)
    add_variant (table, about, i);
  vend_table_print (table);
  vend_terminal_print ("\n"
                       "Hours and cost are per month.\n");
  if (!history->is_complete)
    vend_terminal_print (
        "The history is longer than the limit: only its newest part was replayed.\n");
  vend_terminal_print ("\n");
  print_sentences (sentences);
}

static void
print_summary (const VendHistory *history, const GPtrArray *reports)
{
  static const char *const columns[]
      = { "MODEL OR DEPLOYMENT", "REQUESTS", "NOW", "WAIT", "COST", "BEST", "WAIT", "COST", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  vend_table_cut_middle (table, 0);
  static const guint numbers[] = { 1, 3, 4, 6, 7 };
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    vend_table_align_right (table, numbers[i]);
  for (guint i = 0; i < reports->len; i++)
    {
      const Report *report = g_ptr_array_index (reports, i);
      const VendAdviseAbout *about = &report->about;
      const guint shown[] = { 0, report->advice->best };
      char *cells[2][3];
      char requests[32];
      for (guint n = 0; n < 2; n++)
        {
          const VendAdviseVariant *v = vend_advice_at (report->advice, shown[n]);
          cells[n][0] = vend_advise_setting_text (&v->setting);
          cells[n][1] = vend_advise_time_text (v->result.wait_mean_s);
          cells[n][2]
              = about->price >= 0
                    ? vend_advise_money_text (vend_advise_billed_s (about, shown[n]) * about->price)
                    : g_strdup ("-");
        }
      g_snprintf (requests, sizeof requests, "%u", about->item->trace->requests->len);
      vend_table_add (table, about->item->name, requests, cells[0][0], cells[0][1], cells[0][2],
                      shown[1] == 0 ? "as now" : cells[1][0], cells[1][1], cells[1][2]);
      for (guint n = 0; n < 6; n++)
        g_free (cells[n / 3][n % 3]);
    }
  vend_table_print (table);
  vend_terminal_print (
      "\n"
      "Minimum-maximum of instances and idle timeout; mean wait; cost per month.%s\n"
      "'vend advise owner/name' shows the reason and all settings that were tried.\n",
      history->is_complete ? "" : " Only the newest part of the history was replayed.");
}

static json_t *
sentences_json (char **sentences)
{
  json_t *list = json_array ();
  for (guint i = 0; sentences[i] != NULL; i++)
    json_array_append_new (list, json_string (sentences[i]));
  return list;
}

static json_t *
number_or_null (double value, bool is_known)
{
  return is_known && isfinite (value) ? json_real (value) : json_null ();
}

static json_t *
variant_json (const VendAdviseAbout *about, guint index)
{
  const VendAdviseVariant *v = vend_advice_at (about->advice, index);
  const VendSimulated *r = &v->result;
  const double billed = vend_advise_billed_s (about, index);
  return json_pack (
      "{s:i, s:i, s:o, s:{s:f, s:f, s:f}, s:i, s:f, s:f, s:f, s:f, s:f, s:o, s:f, s:b, s:b}",
      "min_instances", (int) v->setting.min_instances, "max_instances",
      (int) v->setting.max_instances, "idle_timeout_seconds",
      number_or_null ((double) v->setting.idle_timeout_us / VEND_US_PER_S, !v->setting.on_demand),
      "wait_seconds", "mean", r->wait_mean_s, "p95", r->wait_p95_s, "max", r->wait_max_s, "loads",
      (int) r->cold_starts, "loading_hours", r->loading_hours, "busy_hours", r->busy_hours,
      "idle_hours", r->idle_hours, "instance_hours_a_month", vend_advise_month_hours (about, index),
      "billed_seconds_a_month", billed, "cost_a_month",
      number_or_null (billed * about->price, about->price >= 0), "score", v->score, "is_now",
      index == 0, "is_best", index == about->advice->best);
}

static json_t *
report_json (const Report *report)
{
  const VendAdviseAbout *about = &report->about;
  const VendHistoryItem *item = about->item;
  g_auto (GStrv) sentences = vend_advise_recommend (about);
  json_t *variants = json_array ();
  for (guint i = 0; i < report->advice->variants->len; i++)
    json_array_append_new (variants, variant_json (about, i));
  return json_pack (
      "{s:s, s:s, s:s, s:o, s:i, s:f, s:f, s:f, s:f, s:b, s:i, s:f, s:o, s:o}", "name", item->name,
      "kind", item->is_deployment ? "deployment" : "model", "hardware", item->hardware, "price",
      number_or_null (about->price, about->price >= 0), "requests",
      (int) item->trace->requests->len, "hours", report->advice->hours, "pause_seconds",
      report->advice->pause_s, "run_seconds", report->advice->run_s, "load_seconds", item->load_s,
      "load_is_measured", item->is_load_known, "most_at_once", (int) report->advice->most_at_once,
      "measured_wait_seconds", item->wait_mean_s, "variants", variants, "recommendation",
      sentences_json (sentences));
}

static json_t *
own_json (const VendAdviseOwn *own)
{
  g_auto (GStrv) sentences = vend_advise_recommend_own (own);
  const double even = vend_advise_break_even_s (own);
  return json_pack ("{s:i, s:f, s:f, s:o, s:f, s:f, s:{s:f, s:f, s:f}, s:o}", "units",
                    (int) own->units, "cost_a_month", own->units * own->unit_month, "rented_price",
                    own->price, "break_even_seconds_a_month", number_or_null (even, true),
                    "billed_seconds_a_month", own->billed_s, "rented_cost_a_month",
                    own->billed_s * own->price, "wait_seconds", "mean", own->owned.wait_mean_s,
                    "p95", own->owned.wait_p95_s, "max", own->owned.wait_max_s, "recommendation",
                    sentences_json (sentences));
}

static void
show (const Asked *asked, bool is_named, const VendHistory *history, const GPtrArray *reports,
      const VendAdviseOwn *own)
{
  if (asked->connection.json)
    {
      json_auto_t *body = json_object ();
      json_t *list = json_array ();
      for (guint i = 0; i < reports->len; i++)
        json_array_append_new (list, report_json (g_ptr_array_index (reports, i)));
      vend_json_set_time (body, "from", history->from_us);
      vend_json_set_bool (body, "complete", history->is_complete);
      json_object_set_new (body, "wait_weight", json_real (asked->wait_weight));
      json_object_set_new (body, "results", list);
      json_object_set_new (body, "own", own != NULL ? own_json (own) : json_null ());
      vend_terminal_json (body);
      return;
    }
  /* A model and its deployments, or all there is. */
  for (guint i = 0; i < reports->len && (is_named || reports->len == 1); i++)
    {
      if (i > 0)
        vend_terminal_print ("\n");
      print_report (history, g_ptr_array_index (reports, i));
    }
  if (!is_named && reports->len > 1)
    print_summary (history, reports);
  if (own == NULL)
    return;
  g_auto (GStrv) sentences = vend_advise_recommend_own (own);
  vend_terminal_print ("\n");
  print_sentences (sentences);
}

static bool
fail_without_history (const Asked *asked, const char *model, const VendHistory *history,
                      GError **error)
{
  const char *about = model != NULL ? model : "the account";
  bool is_known = false;
  for (guint i = 0; i < history->items->len; i++)
    is_known
        = is_known || ((const VendHistoryItem *) g_ptr_array_index (history->items, i))->is_known;
  if (history->trace->requests->len > 0 && !is_known)
    return vend_fail (error, VEND_ERROR_NOT_FOUND,
                      "%s: all models and deployments that ran in the last %g days were deleted",
                      about, asked->days);
  if (history->trace->requests->len > 0)
    return vend_fail (error, VEND_ERROR_NOT_FOUND,
                      "%s: the history of existing models and deployments is shorter than an hour; "
                      "try again later, or try 'vend simulate --synthetic'",
                      about);
  return vend_fail (error, VEND_ERROR_NOT_FOUND,
                    "%s: no prediction ran in the last %g days; run some with 'vend run', look "
                    "further back with --days, or try 'vend simulate --synthetic'",
                    about, asked->days);
}

static bool
advise (const Asked *asked, const char *model, GError **error)
{
  const bool has_own
      = vend_argument_is_said (asked->own_price) || vend_argument_is_said (asked->hardware_cost);
  const VendHistoryAsked history_asked
      = { .model = model, .account = asked->account, .days = asked->days };
  g_autoptr (VendClient) client = NULL;
  g_autoptr (VendHistory) history = NULL;
  if (asked->history_file != NULL)
    {
      if (!vend_history_load (asked->history_file, &history, error))
        return false;
    }
  else if (!vend_client_new (&asked->connection, &client, error)
           || !vend_history_fetch (client, &history_asked, &history, error))
    return false;
  g_autoptr (GPtrArray) reports = reckon (asked, history);
  /* A program that passes a history on takes an empty answer for one. */
  if (reports->len == 0 && (asked->history_file == NULL || !asked->connection.json))
    return fail_without_history (asked, model, history, error);
  VendAdviseOwn own;
  if (has_own && !reckon_own (asked, history, reports, &own, error))
    return false;
  show (asked, model != NULL, history, reports, has_own ? &own : NULL);
  return true;
}

static bool
run (int argc, char **argv, GError **error)
{
  g_auto (Asked) asked = { .days = 30,
                           .price = VEND_ARGUMENT_NOT_SAID,
                           .wait_weight = 10,
                           .own_price = VEND_ARGUMENT_NOT_SAID,
                           .hardware_cost = VEND_ARGUMENT_NOT_SAID,
                           .months = VEND_ARGUMENT_NOT_SAID,
                           .power_watts = VEND_ARGUMENT_NOT_SAID,
                           .kwh_price = VEND_ARGUMENT_NOT_SAID,
                           .own_units = VEND_ARGUMENT_NOT_SAID };
  g_auto (GStrv) words = NULL;
  g_autofree char *model_path = NULL;
  const GOptionEntry entries[] = {
    { "days", 0, 0, G_OPTION_ARG_DOUBLE, &asked.days, "days of history to replay (30)", "N" },
    { "price", 0, 0, G_OPTION_ARG_DOUBLE, &asked.price,
      "price of a rented second; default: hardware-price of the server", "P" },
    { "wait-weight", 0, 0, G_OPTION_ARG_DOUBLE, &asked.wait_weight,
      "weight of a second of waiting, in seconds of an instance (10)", "N" },
    { "account", 0, 0, G_OPTION_ARG_STRING, &asked.account,
      "replay the history of another account; needs an admin token", "NAME" },
    { "history", 0, 0, G_OPTION_ARG_FILENAME, &asked.history_file,
      "replay a saved reply of GET /v1/history; - is standard input", "FILE" },
    { "own-price-per-hour", 0, 0, G_OPTION_ARG_DOUBLE, &asked.own_price,
      "cost per hour of a unit of own hardware, all hours", "P" },
    { "hardware-cost", 0, 0, G_OPTION_ARG_DOUBLE, &asked.hardware_cost,
      "cost of a unit of own hardware, once", "P" },
    { "months", 0, 0, G_OPTION_ARG_DOUBLE, &asked.months, "months of use of own hardware (36)",
      "N" },
    { "power-watts", 0, 0, G_OPTION_ARG_DOUBLE, &asked.power_watts,
      "power of a unit of own hardware in watts (0)", "W" },
    { "kwh-price", 0, 0, G_OPTION_ARG_DOUBLE, &asked.kwh_price, "price of a kilowatt-hour", "P" },
    { "own-units", 0, 0, G_OPTION_ARG_INT, &asked.own_units, "units of own hardware (1)", "N" },
    { NULL },
  };
  const VendOptions options = {
    .command = "advise",
    .usage = "[owner/name]",
    .summary
    = "Replays the account's request history under other settings (minimum, maximum, idle\n"
      "timeout, rented or own hardware) and recommends the best ones, with the reason.",
    .entries = entries,
    .connection = &asked.connection,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error) || !check (&asked, error)
      || (words[0] != NULL && !vend_argument_model_path (words[0], &model_path, error)))
    return false;
  fill_in (&asked);
  return advise (&asked, words[0], error);
}

int
vend_cmd_advise (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = run (argc, argv, &error);
  return vend_exit_code (good, error);
}
