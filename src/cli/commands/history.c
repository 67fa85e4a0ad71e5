/* The reply of GET /v1/history as traces. Main thread only. */
#include "cli/commands/history.h"
#include "cli/arguments/arguments.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "policy/decide.h"
#include "policy/simulate.h"
#include <string.h>
#include <unistd.h>

#define MAX_HISTORY_BYTES ((gsize) 64 << 20)
#define DAY_US (24 * 3600 * VEND_US_PER_S)
#define MOST_INSTANCES 1000
#define MOST_SLOTS 256
#define MOST_LOAD_S 86400.0
#define MOST_IDLE_S (366 * 86400.0)
#define MOST_DELAY_S 86400.0

static void
item_free (void *data)
{
  VendHistoryItem *item = data;
  g_free (item->name);
  g_free (item->hardware);
  vend_trace_free (item->trace);
  g_free (item);
}

void
vend_history_free (VendHistory *history)
{
  if (history == NULL)
    return;
  g_ptr_array_unref (history->items);
  vend_trace_free (history->trace);
  g_free (history);
}

static double
price_of (const json_t *object)
{
  const char *text = vend_json_string (object, "price");
  return text != NULL ? g_ascii_strtod (text, NULL) : -1;
}

static guint
bounded (const json_t *object, const char *key, guint least, guint most)
{
  return (guint) CLAMP (vend_json_int (object, key, least), least, most);
}

static int64_t
seconds_of (const json_t *object, const char *key, double most)
{
  return (int64_t) (CLAMP (vend_json_double (object, key, 0), 0, most) * VEND_US_PER_S);
}

static VendHistoryItem *
item_new (const json_t *object)
{
  VendHistoryItem *item = g_new0 (VendHistoryItem, 1);
  const double load_s = vend_json_double (object, "load_seconds", 0);
  const char *name = vend_json_string (object, "name");
  const json_t *scaling = json_object_get (object, "scaling");
  item->name = g_strdup (name != NULL ? name : "");
  item->is_deployment = g_strcmp0 (vend_json_string (object, "kind"), "deployment") == 0;
  item->hardware = g_strdup (vend_json_string (object, "hardware"));
  item->is_known = item->hardware != NULL;
  item->bills_runs = g_strcmp0 (vend_json_string (object, "billed"), "run") == 0;
  item->price = price_of (object);
  item->room = bounded (object, "room", 0, MOST_INSTANCES);
  item->min_instances = bounded (scaling, "min_instances", 0, MOST_INSTANCES);
  item->max_instances = bounded (scaling, "max_instances", 1, MOST_INSTANCES);
  item->slots = bounded (scaling, "concurrency", 1, MOST_SLOTS);
  item->target = (double) bounded (scaling, "target", 1, 100) / 100;
  item->on_demand = vend_json_bool (scaling, "on_demand", false);
  item->idle_timeout_us = seconds_of (scaling, "idle_timeout", MOST_IDLE_S);
  item->scale_down_delay_us = seconds_of (scaling, "scale_down_delay", MOST_DELAY_S);
  item->is_load_known = load_s > 0 && load_s <= MOST_LOAD_S;
  item->load_s = item->is_load_known ? load_s : (double) VEND_ASSUMED_US / VEND_US_PER_S;
  item->wait_mean_s = vend_json_double (object, "wait_seconds", 0);
  item->trace = vend_trace_new ();
  vend_trace_add_model (item->trace, item->name, (int64_t) (item->load_s * VEND_US_PER_S));
  return item;
}

static bool
read_requests (const json_t *reply, VendHistory *history, int64_t shift_us, GError **error)
{
  const json_t *columns = json_object_get (reply, "requests");
  const json_t *at = json_object_get (columns, "at_us"), *run = json_object_get (columns, "run_us");
  const json_t *whose = json_object_get (columns, "target");
  const size_t n = json_array_size (at);
  if (json_array_size (run) != n || json_array_size (whose) != n)
    return vend_fail (error, VEND_ERROR_INTERNAL,
                      "the server's history has lists of different lengths");
  for (size_t i = 0; i < n; i++)
    {
      const json_int_t index = json_integer_value (json_array_get (whose, i));
      const int64_t at_us = MAX (json_integer_value (json_array_get (at, i)), 0) + shift_us;
      const int64_t run_us = MAX (json_integer_value (json_array_get (run, i)), 0);
      if (index < 0 || index >= history->items->len)
        return vend_fail (error, VEND_ERROR_INTERNAL,
                          "the server's history has requests of no model");
      VendHistoryItem *item = g_ptr_array_index (history->items, index);
      vend_trace_add (item->trace, 0, at_us, run_us);
      vend_trace_add (history->trace, (guint) index, at_us, run_us);
    }
  return true;
}

static int
by_requests (const void *a, const void *b)
{
  const VendHistoryItem *x = *(VendHistoryItem *const *) a, *y = *(VendHistoryItem *const *) b;
  if (x->trace->requests->len != y->trace->requests->len)
    return x->trace->requests->len > y->trace->requests->len ? -1 : 1;
  return g_strcmp0 (x->name, y->name);
}

bool
vend_history_read (const json_t *reply, VendHistory **out, GError **error)
{
  g_autoptr (VendHistory) history = g_new0 (VendHistory, 1);
  const char *from = vend_json_string (reply, "from"), *to = vend_json_string (reply, "to");
  int64_t to_us = 0, longest_us = 0;
  size_t i;
  json_t *object;
  history->items = g_ptr_array_new_with_free_func (item_free);
  history->trace = vend_trace_new ();
  if (from == NULL || to == NULL || !vend_time_parse (from, &history->from_us, NULL)
      || !vend_time_parse (to, &to_us, NULL))
    return vend_fail (error, VEND_ERROR_INTERNAL, "the server's history has no 'from' or 'to'");
  json_array_foreach (json_object_get (reply, "targets"), i, object)
    {
      VendHistoryItem *item = item_new (object);
      g_ptr_array_add (history->items, item);
      const int64_t load_us = (int64_t) (item->load_s * VEND_US_PER_S);
      vend_trace_add_model (history->trace, item->name, load_us);
      longest_us = MAX (longest_us, load_us);
    }
  history->until_us = to_us - history->from_us + longest_us;
  history->is_complete = vend_json_bool (reply, "complete", true);
  if (!read_requests (reply, history, longest_us, error))
    return false;
  vend_trace_sort (history->trace);
  for (guint n = 0; n < history->items->len; n++)
    vend_trace_sort (((VendHistoryItem *) g_ptr_array_index (history->items, n))->trace);
  g_ptr_array_sort (history->items, by_requests);
  *out = g_steal_pointer (&history);
  return true;
}

bool
vend_history_load (const char *path, VendHistory **out, GError **error)
{
  const bool is_input = strcmp (path, "-") == 0;
  const char *name = is_input ? "standard input" : path;
  g_autofree char *text = NULL;
  json_auto_t *reply = NULL;
  gsize size = 0;
  if (is_input ? !vend_fd_read_all (STDIN_FILENO, name, MAX_HISTORY_BYTES, &text, &size, error)
               : !vend_file_read (path, MAX_HISTORY_BYTES, &text, &size, error))
    return false;
  if (vend_json_parse (text, size, &reply, error) && vend_history_read (reply, out, error))
    return true;
  g_prefix_error (error, "%s: expected a reply of GET /v1/history: ", name);
  return false;
}

bool
vend_history_fetch (VendClient *client, const VendHistoryAsked *asked, VendHistory **out,
                    GError **error)
{
  const int64_t since_us = vend_now_us () - (int64_t) (asked->days * (double) DAY_US);
  g_autofree char *since = vend_time_format (since_us);
  g_autoptr (GString) path = g_string_new ("/v1/history");
  json_auto_t *reply = NULL;
  vend_argument_add_query (path, "since", since);
  if (asked->model != NULL)
    vend_argument_add_query (path, "model", asked->model);
  if (asked->account != NULL)
    vend_argument_add_query (path, "account", asked->account);
  return vend_client_call (client, "GET", path->str, NULL, &reply, error)
         && vend_history_read (reply, out, error);
}
