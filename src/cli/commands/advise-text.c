/* The texts of `vend advise`. Pure. */
#include "cli/commands/advise-text.h"
#include "base/clock.h"
#include "base/count.h"
#include <math.h>

/* Less history than this is said to be little. */
#define FEW_REQUESTS 20
#define FEW_HOURS 24.0

static double
months (const VendAdviseAbout *about)
{
  return VEND_MONTH_HOURS / MAX (about->advice->hours, 1.0 / 60);
}

double
vend_advise_billed_s (const VendAdviseAbout *about, guint variant)
{
  const VendAdviseVariant *v = vend_advice_at (about->advice, variant);
  const double seconds
      = about->item->bills_runs ? about->advice->run_s * v->result.requests : v->instance_s;
  return seconds * months (about);
}

double
vend_advise_month_hours (const VendAdviseAbout *about, guint variant)
{
  return vend_advice_at (about->advice, variant)->instance_s / 3600 * months (about);
}

/* ---- Numbers for people */

char *
vend_advise_time_text (double seconds)
{
  if (seconds < 9.95)
    return g_strdup_printf ("%.1f s", seconds);
  if (seconds < 120)
    return g_strdup_printf ("%.0f s", seconds);
  if (seconds < 2 * 3600.0)
    return g_strdup_printf ("%.0f min", seconds / 60);
  return seconds < 2 * 86400.0 ? g_strdup_printf ("%.0f h", seconds / 3600)
                               : g_strdup_printf ("%.0f d", seconds / 86400);
}

char *
vend_advise_money_text (double amount)
{
  return g_strdup_printf (amount != 0 && fabs (amount) < 1 ? "%.4f" : "%.2f", amount);
}

static char *
timeout_text (const VendAdviseSetting *setting)
{
  return setting->on_demand
             ? g_strdup ("never")
             : vend_advise_time_text ((double) setting->idle_timeout_us / VEND_US_PER_S);
}

char *
vend_advise_setting_text (const VendAdviseSetting *setting)
{
  g_autofree char *timeout = timeout_text (setting);
  return g_strdup_printf ("%u-%u, %s", setting->min_instances, setting->max_instances, timeout);
}

/* ---- Sentences */

static void say (GPtrArray *sentences, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
say (GPtrArray *sentences, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_ptr_array_add (sentences, g_strdup_vprintf (format, args));
  va_end (args);
}

static char **
end (GPtrArray *sentences)
{
  g_ptr_array_add (sentences, NULL);
  return (char **) g_ptr_array_free (sentences, FALSE);
}

/* The variant of least score with this minimum, or with a higher one too; -1 = none. */
static gssize
best_with (const VendAdvice *advice, guint least_min, guint most_min)
{
  gssize best = -1;
  for (guint i = 0; i < advice->variants->len; i++)
    {
      const VendAdviseVariant *variant = vend_advice_at (advice, i);
      if (variant->setting.min_instances >= least_min && variant->setting.min_instances <= most_min
          && (best < 0 || variant->score < vend_advice_at (advice, (guint) best)->score))
        best = (gssize) i;
    }
  return best;
}

static void
say_what (GPtrArray *sentences, const VendAdvice *advice)
{
  const VendAdviseSetting *now = &vend_advice_at (advice, 0)->setting;
  const VendAdviseSetting *best = &vend_advice_at (advice, advice->best)->setting;
  g_autofree char *best_timeout = timeout_text (best);
  g_autofree char *now_timeout = timeout_text (now);
  g_autofree char *least = vend_count_text (best->min_instances, "instance", "instances");
  g_autofree char *most = vend_count_text (best->max_instances, "instance", "instances");
  if (advice->best == 0)
    say (sentences,
         "Keep the settings (minimum %u, maximum %u, idle timeout %s): no other setting that was "
         "tried is clearly better.",
         now->min_instances, now->max_instances, now_timeout);
  else if (best->min_instances > 0 && best->min_instances != now->min_instances)
    say (sentences, "Keep %s warm: a minimum of %u (now %u).", least, best->min_instances,
         now->min_instances);
  else if (best->min_instances == 0 && now->min_instances > 0)
    say (sentences, "Scale to zero: a minimum of 0 (now %u) and an idle timeout of %s.",
         now->min_instances, best_timeout);
  else if (best->min_instances == 0
           && (best->on_demand != now->on_demand || best->idle_timeout_us != now->idle_timeout_us))
    say (sentences, "Scale to zero with an idle timeout of %s (now %s).", best_timeout,
         now_timeout);
  if (advice->best != 0 && best->max_instances != now->max_instances)
    say (sentences, "Allow at most %s (now %u).", most, now->max_instances);
}

static void
say_effect (GPtrArray *sentences, const VendAdviseAbout *about)
{
  const VendAdvice *advice = about->advice;
  const VendSimulated *now = &vend_advice_at (advice, 0)->result;
  const VendSimulated *best = &vend_advice_at (advice, advice->best)->result;
  g_autofree char *now_mean = vend_advise_time_text (now->wait_mean_s);
  g_autofree char *now_p95 = vend_advise_time_text (now->wait_p95_s);
  g_autofree char *mean = vend_advise_time_text (best->wait_mean_s);
  g_autofree char *p95 = vend_advise_time_text (best->wait_p95_s);
  g_autofree char *now_cost
      = vend_advise_money_text (vend_advise_billed_s (about, 0) * about->price);
  g_autofree char *cost
      = vend_advise_money_text (vend_advise_billed_s (about, advice->best) * about->price);
  const double now_hours = vend_advise_month_hours (about, 0);
  const double hours = vend_advise_month_hours (about, advice->best);
  if (advice->best == 0)
    say (sentences, "Requests wait %s on average (p95 %s); instances take %.1f hours a month%s%s.",
         mean, p95, hours, about->price >= 0 ? ", at a cost of " : "",
         about->price >= 0 ? cost : "");
  else
    say (sentences,
         "Requests then wait %s on average (p95 %s) instead of %s (p95 %s), and instances take "
         "%.1f hours a month instead of %.1f%s%s%s%s.",
         mean, p95, now_mean, now_p95, hours, now_hours, about->price >= 0 ? ": " : "",
         about->price >= 0 ? cost : "", about->price >= 0 ? " instead of " : "",
         about->price >= 0 ? now_cost : "");
}

/* Against the best setting of the other kind. */
static void
say_reason (GPtrArray *sentences, const VendAdviseAbout *about)
{
  const VendAdvice *advice = about->advice;
  const VendAdviseVariant *best = vend_advice_at (advice, advice->best);
  const bool is_warm = best->setting.min_instances > 0;
  const gssize other = is_warm ? best_with (advice, 0, 0) : best_with (advice, 1, G_MAXUINT);
  g_autofree char *pause = vend_advise_time_text (advice->pause_s);
  g_autofree char *load = vend_advise_time_text (advice->load_s);
  if (other < 0)
    return;
  const VendSimulated *o = &vend_advice_at (advice, (guint) other)->result;
  const double more_hours = vend_advise_month_hours (about, advice->best)
                            - vend_advise_month_hours (about, (guint) other);
  g_autofree char *other_wait = vend_advise_time_text (o->wait_mean_s);
  g_autofree char *wait = vend_advise_time_text (best->result.wait_mean_s);
  g_autofree char *loads = vend_count_text (o->cold_starts, "load", "loads");
  if (is_warm)
    say (sentences,
         "The reason: requests are %s apart (median) and a load takes %s. With the best setting "
         "without a warm instance, requests wait %s on average, with %s, and %.1f hours a month "
         "are saved; a second of waiting counts as %g seconds of an instance, so the saving is not "
         "worth the wait.",
         pause, load, other_wait, loads, more_hours, about->wait_weight);
  else
    say (sentences,
         "The reason: requests are %s apart (median) and a load takes %s. A warm instance would "
         "take %.1f hours more a month, most of them idle, to bring the wait from %s to %s on "
         "average; a second of waiting counts as %g seconds of an instance, so the warm instance "
         "is not worth its cost.",
         pause, load, -more_hours, wait, other_wait, about->wait_weight);
}

static void
say_most (GPtrArray *sentences, const VendAdviseAbout *about)
{
  const VendHistoryItem *item = about->item;
  const guint most = about->advice->most_at_once;
  g_autofree char *room = vend_count_text (item->room, "instance", "instances");
  if (item->room > 0 && (guint64) item->room * item->slots < most)
    say (sentences,
         "Without any queueing at most %u requests would have run at a time; the hardware has room "
         "for %s, so no higher maximum was tried.",
         most, room);
  else
    say (sentences, "Without any queueing at most %u requests would have run at a time.", most);
}

/* The command that applies the recommendation. */
static void
say_how (GPtrArray *sentences, const VendAdviseAbout *about)
{
  const VendAdvice *advice = about->advice;
  const VendAdviseSetting *now = &vend_advice_at (advice, 0)->setting;
  const VendAdviseSetting *best = &vend_advice_at (advice, advice->best)->setting;
  if (advice->best == 0)
    return;
  g_autoptr (GString) command = g_string_new (NULL);
  g_string_append_printf (command, "%s %s --min %u --max %u",
                          about->item->is_deployment ? "vend deployments update"
                                                     : "vend models scaling",
                          about->item->name, best->min_instances, best->max_instances);
  if (best->min_instances == 0 && best->idle_timeout_us != now->idle_timeout_us)
    g_string_append_printf (command, " --idle-timeout %.0fs",
                            (double) best->idle_timeout_us / VEND_US_PER_S);
  if (best->min_instances == 0 && now->on_demand)
    g_string_append (command, " --on-demand off");
  say (sentences, "%s", command->str);
}

char **
vend_advise_recommend (const VendAdviseAbout *about)
{
  GPtrArray *sentences = g_ptr_array_new ();
  const VendAdvice *advice = about->advice;
  const guint n = vend_advice_at (advice, 0)->result.requests;
  g_autofree char *requests = vend_count_text (n, "request", "requests");
  say_what (sentences, advice);
  say_effect (sentences, about);
  say_reason (sentences, about);
  say_most (sentences, about);
  if (about->item->bills_runs)
    say (sentences, "The model is public, so its runs are billed by their time whatever the "
                    "settings are; the hours are those of the machine.");
  if (n < FEW_REQUESTS || advice->hours < FEW_HOURS)
    say (sentences, "The history is short: %s in %.1f hours.", requests, advice->hours);
  say_how (sentences, about);
  return end (sentences);
}

/* ---- Hardware of one's own */

double
vend_advise_break_even_s (const VendAdviseOwn *own)
{
  return own->price > 0 ? own->units * own->unit_month / own->price : INFINITY;
}

char **
vend_advise_recommend_own (const VendAdviseOwn *own)
{
  GPtrArray *sentences = g_ptr_array_new ();
  const double even_s = vend_advise_break_even_s (own);
  const double whole_s = own->units * VEND_MONTH_HOURS * 3600;
  const double owned = own->units * own->unit_month, rented = own->billed_s * own->price;
  g_autofree char *owned_text = vend_advise_money_text (owned);
  g_autofree char *rented_text = vend_advise_money_text (rented);
  g_autofree char *difference = vend_advise_money_text (fabs (owned - rented));
  g_autofree char *mean = vend_advise_time_text (own->owned.wait_mean_s);
  g_autofree char *p95 = vend_advise_time_text (own->owned.wait_p95_s);
  g_autofree char *rented_wait = vend_advise_time_text (own->rented_wait_s);
  g_autofree char *units = vend_count_text (own->units, "unit", "units");
  say (sentences, "%s of own hardware cost%s %s a month.", units, own->units == 1 ? "s" : "",
       owned_text);
  if (even_s > whole_s)
    say (sentences,
         "At %g per rented second own hardware is never cheaper: its cost is that of %.0f rented "
         "seconds a month, and the month has %.0f.",
         own->price, even_s, whole_s);
  else
    say (sentences,
         "At %g per rented second own hardware is cheaper from %.0f seconds (%.0f hours) a month "
         "on, %.0f %% of its time.",
         own->price, even_s, even_s / 3600, even_s / whole_s * 100);
  say (sentences,
       "With the best settings this history takes %.0f rented seconds a month, for %s: %s.",
       own->billed_s, rented_text,
       own->billed_s > even_s ? "own hardware is cheaper" : "renting is cheaper");
  say (sentences, "The difference is %s a month.", difference);
  say (sentences,
       "On own hardware, with models loaded until they are evicted, the same requests would have "
       "waited %s on average (p95 %s); on rented hardware, %s on average.",
       mean, p95, rented_wait);
  return end (sentences);
}
