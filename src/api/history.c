/* `GET /v1/history`: what an account asked of which models, and when, for simulations. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/deployments.h"
#include "store/history.h"
#include "store/models.h"
#include "store/scaling.h"
#include <string.h>

#define DAY_US (24 * 3600 * VEND_US_PER_S)
#define MAX_DAYS 366
#define DEFAULT_DAYS 30
/* Rows that are read, the newest ones; older rows are left out. */
#define MAX_ROWS 200000
/* Targets that came first; the requests of others are left out. */
#define MAX_TARGETS 200

/* A deployment or model, each of which is scaled on its own. */
typedef struct
{
  char *model;
  char *deployment; /* or NULL */
  gint64 requests;
  double wait_s; /* sum */
  /* The present values; unknown for a deleted target. */
  char *hardware;
  gboolean is_private;
  VendScaling scaling;
  double load_s; /* 0 = not known */
} Target;

typedef struct
{
  int64_t at_us;
  int64_t run_us;
  int64_t wait_us;
  guint target;
} Request;

typedef struct
{
  const char *wanted; /* "owner/name" of a model or deployment, or NULL */
  GPtrArray *targets;
  GHashTable *indexes; /* key → index + 1 */
  GArray *requests;    /* of Request, the newest first */
  guint n_rows;
  int64_t oldest_us; /* of the rows */
  bool is_cut;
} History;

static void
target_free (void *data)
{
  Target *target = data;
  g_free (target->model);
  g_free (target->deployment);
  g_free (target->hardware);
  g_free (target);
}

static void
history_clear (History *history)
{
  g_clear_pointer (&history->targets, g_ptr_array_unref);
  g_clear_pointer (&history->indexes, g_hash_table_unref);
  g_clear_pointer (&history->requests, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (History, history_clear)

static bool
find_target (History *history, const VendHistoryRow *row, guint *out)
{
  g_autofree char *key = row->deployment != NULL ? g_strconcat ("d", row->deployment, NULL)
                                                 : g_strconcat ("m", row->model, NULL);
  const guint known = GPOINTER_TO_UINT (g_hash_table_lookup (history->indexes, key));
  if (known > 0)
    {
      *out = known - 1;
      return true;
    }
  if (history->targets->len >= MAX_TARGETS)
    {
      history->is_cut = true;
      return false;
    }
  Target *target = g_new0 (Target, 1);
  target->model = g_strdup (row->model);
  target->deployment = g_strdup (row->deployment);
  g_ptr_array_add (history->targets, target);
  *out = history->targets->len - 1;
  g_hash_table_insert (history->indexes, g_steal_pointer (&key), GUINT_TO_POINTER (*out + 1));
  return true;
}

static void
take_row (const VendHistoryRow *row, void *data)
{
  History *history = data;
  guint index = 0;
  history->n_rows++;
  history->oldest_us = row->created_us;
  if (row->started_us == 0 || row->completed_us == 0
      || (history->wanted != NULL && g_strcmp0 (row->deployment, history->wanted) != 0
          && strcmp (row->model, history->wanted) != 0)
      || !find_target (history, row, &index))
    return;
  const Request request = { .at_us = row->created_us,
                            .run_us = MAX (row->completed_us - row->started_us, 0),
                            .wait_us = MAX (row->started_us - row->created_us, 0),
                            .target = index };
  Target *target = g_ptr_array_index (history->targets, index);
  target->requests++;
  target->wait_s += (double) request.wait_us / VEND_US_PER_S;
  g_array_append_val (history->requests, request);
}

/* ---- The present settings */

/* A deleted target stays unknown. */
static void
read_model (const VendApi *api, VendDb *db, Target *out)
{
  g_auto (GStrv) words = g_strsplit (out->model, "/", 2);
  g_autoptr (VendModel) model = NULL;
  VendScaling own;
  if (g_strv_length (words) != 2 || !vend_store_model_by_name (db, words[0], words[1], &model, NULL)
      || !vend_store_scaling_get (db, model->id, &own, NULL))
    return;
  out->hardware = g_strdup (model->hardware);
  out->is_private = model->is_private;
  out->scaling = vend_api_scaling_holds (api, db, &own, model->id, model->latest_version);
}

static void
read_deployment (const VendApi *api, VendDb *db, Target *out)
{
  g_auto (GStrv) words = g_strsplit (out->deployment, "/", 2);
  g_autoptr (VendDeployment) deployment = NULL;
  if (g_strv_length (words) != 2
      || !vend_store_deployment_by_name (db, words[0], words[1], &deployment, NULL))
    return;
  const VendRelease *release = deployment->current;
  VendScaling own = vend_release_scaling (release), of_model;
  if (vend_store_scaling_get (db, release->model_id, &of_model, NULL))
    vend_scaling_leave_to_model (&own, &of_model);
  out->hardware = g_strdup (release->hardware);
  out->is_private = true;
  out->scaling = vend_api_scaling_holds (api, db, &own, release->model_id, release->version);
}

static bool
read_targets (VendApi *api, VendDb *db, History *history, GError **error)
{
  for (guint i = 0; i < history->targets->len; i++)
    {
      Target *target = g_ptr_array_index (history->targets, i);
      if (target->deployment != NULL)
        read_deployment (api, db, target);
      else
        read_model (api, db, target);
      if (!vend_store_history_boot (db, target->model, target->deployment, &target->load_s, error))
        return false;
    }
  return true;
}

/* ---- The reply */

static json_t *
price_json (const VendApi *api, const char *hardware)
{
  VendAmount amount;
  if (hardware == NULL || !vend_prices_amount (api->parts.prices, hardware, VEND_US_PER_S, &amount))
    return json_null ();
  g_autofree char *text = vend_amount_text (amount);
  return json_string (text);
}

static json_t *
describe (const VendApi *api, const Target *d)
{
  json_t *object = json_object ();
  vend_json_set_string (object, "name", d->deployment != NULL ? d->deployment : d->model);
  vend_json_set_string (object, "kind", d->deployment != NULL ? "deployment" : "model");
  vend_json_set_string (object, "model", d->model);
  vend_json_set_string (object, "hardware", d->hardware);
  json_object_set_new (object, "room",
                       d->hardware != NULL
                           ? json_integer (vend_sched_room (api->parts.sched, d->hardware))
                           : json_null ());
  json_object_set_new (object, "price", price_json (api, d->hardware));
  vend_json_set_string (object, "billed", d->is_private ? "instance" : "run");
  json_object_set_new (object, "scaling", vend_scaling_to_json (&d->scaling, false));
  json_object_set_new (object, "load_seconds",
                       d->load_s > 0 ? json_real (d->load_s) : json_null ());
  vend_json_set_int (object, "requests", d->requests);
  json_object_set_new (object, "wait_seconds",
                       json_real (d->requests > 0 ? d->wait_s / (double) d->requests : 0));
  return object;
}

typedef int64_t (*Column) (const Request *request);

static int64_t
column_at (const Request *request)
{
  return request->at_us;
}

static int64_t
column_run (const Request *request)
{
  return request->run_us;
}

static int64_t
column_wait (const Request *request)
{
  return request->wait_us;
}

static int64_t
column_target (const Request *request)
{
  return request->target;
}

/* Columns of whole numbers, the oldest first: a list of objects would be several times as long. */
static void
write_column (GString *text, const char *name, const History *history, Column column, int64_t from)
{
  g_string_append_printf (text, "\"%s\":[", name);
  for (guint i = history->requests->len; i > 0; i--)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT, i < history->requests->len ? "," : "",
                            column (&g_array_index (history->requests, Request, i - 1)) - from);
  g_string_append_c (text, ']');
}

static char *
make_json (const VendApi *api, const History *history, const VendAccount *account,
           const VendHistoryQuery *query)
{
  json_auto_t *head = json_object ();
  json_t *targets = json_array ();
  for (guint i = 0; i < history->targets->len; i++)
    json_array_append_new (targets, describe (api, g_ptr_array_index (history->targets, i)));
  vend_json_set_string (head, "account", account->username);
  vend_json_set_time (head, "from", query->from_us);
  vend_json_set_time (head, "to", query->to_us);
  vend_json_set_bool (head, "complete", !history->is_cut);
  json_object_set_new (head, "targets", targets);
  g_autofree char *plain = vend_json_text (head);
  g_autoptr (GString) text = g_string_sized_new (history->requests->len * 40 + 4096);
  g_string_append_len (text, plain, (gssize) strlen (plain) - 1);
  g_string_append (text, ",\"requests\":{");
  write_column (text, "at_us", history, column_at, query->from_us);
  g_string_append_c (text, ',');
  write_column (text, "run_us", history, column_run, 0);
  g_string_append_c (text, ',');
  write_column (text, "wait_us", history, column_wait, 0);
  g_string_append_c (text, ',');
  write_column (text, "target", history, column_target, 0);
  g_string_append (text, "}}");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
append_seconds (GString *text, int64_t us)
{
  g_string_append_printf (text, "%" G_GINT64_FORMAT ".%06" G_GINT64_FORMAT, us / VEND_US_PER_S,
                          us % VEND_US_PER_S);
}

/* The format of `vend simulate`. */
static VendReply *
reply_trace (const History *history, const VendHistoryQuery *query)
{
  g_autoptr (GString) text = g_string_new ("time_s,model,run_s,load_s\n");
  for (guint i = history->requests->len; i > 0; i--)
    {
      const Request *request = &g_array_index (history->requests, Request, i - 1);
      const Target *target = g_ptr_array_index (history->targets, request->target);
      append_seconds (text, request->at_us - query->from_us);
      if (target->deployment != NULL)
        g_string_append_printf (text, ",%s (deployment),", target->deployment);
      else
        g_string_append_printf (text, ",%s,", target->model);
      append_seconds (text, request->run_us);
      g_string_append_c (text, ',');
      if (target->load_s > 0)
        append_seconds (text, (int64_t) (target->load_s * VEND_US_PER_S));
      g_string_append_c (text, '\n');
    }
  const gsize size = text->len;
  return vend_reply_take (200, "text/csv; charset=utf-8",
                          g_string_free (g_steal_pointer (&text), FALSE), size);
}

static bool
read_query (VendCall *call, VendHistoryQuery *query, bool *out_trace, GError **error)
{
  const char *format = vend_call_query (call, "format");
  query->to_us = vend_now_us ();
  query->limit = MAX_ROWS + 1;
  if (!vend_api_query_time (call, "until", &query->to_us, error))
    return false;
  query->from_us = query->to_us - DEFAULT_DAYS * DAY_US;
  if (!vend_api_query_time (call, "since", &query->from_us, error))
    return false;
  if (query->to_us < query->from_us || query->to_us - query->from_us > MAX_DAYS * DAY_US)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                      "since: expected a time before until, at most %d days", MAX_DAYS);
  *out_trace = g_strcmp0 (format, "trace") == 0;
  return format == NULL || *out_trace || strcmp (format, "json") == 0
         || vend_fail (error, VEND_ERROR_BAD_REQUEST, "format: expected json or trace");
}

static bool
read_history (VendApi *api, VendCall *call, const VendCaller *caller, VendHistoryQuery *query,
              VendAccount **out_account, History *history, GError **error)
{
  g_autoptr (VendAccount) account = NULL;
  if (!vend_api_query_reference (call, "model", &history->wanted, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_query_account (reader.db, call, caller, "the history", &account, error))
      return false;
    query->account_id = account->id;
    if (!vend_store_history_read (reader.db, query, take_row, history, error)
        || !read_targets (api, reader.db, history, error))
      return false;
  }
  /* The oldest row that was read may have others of its moment behind it. */
  if (history->n_rows > MAX_ROWS)
    {
      history->is_cut = true;
      query->from_us = history->oldest_us;
    }
  *out_account = g_steal_pointer (&account);
  return true;
}

#define EMPTY_HISTORY \
  { .targets = g_ptr_array_new_with_free_func (target_free), \
    .indexes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL), \
    .requests = g_array_new (FALSE, FALSE, sizeof (Request)) }

bool
vend_api_history_text (VendApi *api, VendCall *call, const VendCaller *caller, char **out,
                       GError **error)
{
  VendHistoryQuery query = { 0 };
  g_autoptr (VendAccount) account = NULL;
  g_auto (History) history = EMPTY_HISTORY;
  bool is_trace = false;
  if (!read_query (call, &query, &is_trace, error)
      || !read_history (api, call, caller, &query, &account, &history, error))
    return false;
  *out = make_json (api, &history, account, &query);
  return true;
}

static bool
get_history (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  VendHistoryQuery query = { 0 };
  g_autoptr (VendAccount) account = NULL;
  g_auto (History) history = EMPTY_HISTORY;
  bool is_trace = false;
  if (!read_query (call, &query, &is_trace, error)
      || !read_history (api, call, caller, &query, &account, &history, error))
    return false;
  if (is_trace)
    {
      *out = reply_trace (&history, &query);
      return true;
    }
  char *text = make_json (api, &history, account, &query);
  *out = vend_reply_json_text (200, text, strlen (text));
  return true;
}

const ApiRoute vend_api_history_routes[] = {
  { "GET", "/v1/history", VEND_SCOPE_READ, VEND_BODY_NONE, get_history, NULL,
    .runs_on = VEND_RUN_READ },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
