/* Examples of a model: predictions that its owner keeps to show what it does. */
#include "api/api-private.h"
#include "base/error.h"
#include "store/examples.h"
#include "store/predictions.h"

#define MAX_ID 64

static json_t *
show (VendCall *call, const VendPrediction *example)
{
  return vend_prediction_to_json (example, vend_call_origin (call), VEND_VIEW_TRUTH);
}

static bool
list_examples (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_autoptr (GPtrArray) examples = NULL;
  VendPage page = { .limit = VEND_MODEL_MAX_EXAMPLES };
  int64_t place = G_MININT64;
  g_auto (ApiCursor) cursor = { 0 };
  if (!vend_api_cursor (call, &cursor, error))
    return false;
  if (!cursor.first
      && !g_ascii_string_to_signed (cursor.after_id, 10, G_MININT64, G_MAXINT64, &place, NULL))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                      "cursor: expected the cursor of a 'next' URL of this server");
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_model (api, reader.db, call, caller, &model, error)
        || !vend_store_example_page (reader.db, model->id, place, &page, &examples, &place, error))
      return false;
  }
  GString *results = vend_api_results ();
  for (guint i = 0; i < examples->len; i++)
    vend_api_add_result (results, show (call, g_ptr_array_index (examples, i)));
  /* Places may be below zero, which only the second part of a cursor can be. */
  g_autofree char *last_place = g_strdup_printf ("%" G_GINT64_FORMAT, place);
  *out = vend_api_page (call, results, page.more, 0, last_place, NULL);
  return true;
}

typedef struct
{
  const VendModel *model;
  const char *prediction;
  bool is_first;
} Change;

static bool
check (const VendModel *model, const VendPrediction *p, GError **error)
{
  if (p->kind != VEND_KIND_PREDICTION || p->account_id != model->account_id)
    return vend_fail (error, VEND_ERROR_INVALID, "prediction: there is no prediction %s", p->id);
  if (p->model_id != model->id)
    return vend_fail (error, VEND_ERROR_INVALID, "prediction: %s ran on %s, not on %s/%s", p->id,
                      p->model, model->owner, model->name);
  if (p->status != VEND_STATUS_SUCCEEDED)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "prediction: %s is %s; expected a succeeded prediction", p->id,
                      vend_status_name (p->status));
  if (p->data_removed)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "prediction: the data of %s were removed; make a new one", p->id);
  return true;
}

static bool
add (VendDb *db, void *data, GError **error)
{
  const Change *change = data;
  g_autoptr (VendPrediction) prediction = NULL;
  int64_t count = 0;
  if (!vend_store_prediction_get (db, change->prediction, &prediction, error))
    {
      if (g_error_matches (*error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        (*error)->code = VEND_ERROR_INVALID;
      g_prefix_error (error, "prediction: ");
      return false;
    }
  if (!check (change->model, prediction, error)
      || !vend_store_example_count (db, change->model->id, &count, error))
    return false;
  if (count >= VEND_MODEL_MAX_EXAMPLES)
    return vend_fail (error, VEND_ERROR_INVALID, "a model has at most %d examples",
                      VEND_MODEL_MAX_EXAMPLES);
  return vend_store_example_insert (db, change->model->id, change->prediction, change->is_first,
                                    error);
}

static bool
add_example (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendPrediction) example = NULL;
  const char *prediction = NULL;
  if (!vend_api_object (call, &body, error)
      || !vend_api_text (body, "prediction", MAX_ID, &prediction, error))
    return false;
  const json_t *is_first = json_object_get (body, "default");
  if (is_first != NULL && !json_is_boolean (is_first))
    return vend_fail (error, VEND_ERROR_INVALID, "default: expected true or false");
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_own_model (api, reader.db, call, caller, &model, error))
      return false;
  }
  Change change = { model, prediction, json_is_true (is_first) };
  if (!vend_store_write_wait (api->parts.store, add, &change, error))
    {
      if (g_error_matches (*error, VEND_ERROR, VEND_ERROR_EXISTS))
        {
          g_clear_error (error);
          vend_fail (error, VEND_ERROR_EXISTS, "prediction: %s is an example already", prediction);
        }
      return false;
    }
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_example_get (reader.db, prediction, &example, error))
    return false;
  *out = vend_reply_json (201, show (call, example));
  return true;
}

static bool
put_first (VendDb *db, void *data, GError **error)
{
  const Change *change = data;
  return vend_store_example_make_default (db, change->model->id, change->prediction, error);
}

static bool
change_example (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendPrediction) example = NULL;
  if (!vend_api_object (call, &body, error))
    return false;
  if (!json_is_true (json_object_get (body, "default")))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "default: expected true; to replace the default example, make another one "
                      "the default");
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_own_model (api, reader.db, call, caller, &model, error))
      return false;
  }
  Change change = { .model = model, .prediction = vend_call_param (call, "id") };
  if (!vend_store_write_wait (api->parts.store, put_first, &change, error))
    return false;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_example_get (reader.db, change.prediction, &example, error))
    return false;
  *out = vend_reply_json (200, show (call, example));
  return true;
}

static bool
remove_row (VendDb *db, void *data, GError **error)
{
  const Change *change = data;
  return vend_store_example_delete (db, change->model->id, change->prediction, error);
}

static bool
delete_example (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_own_model (api, reader.db, call, caller, &model, error))
      return false;
  }
  Change change = { .model = model, .prediction = vend_call_param (call, "id") };
  if (!vend_store_write_wait (api->parts.store, remove_row, &change, error))
    return false;
  *out = vend_reply_empty (204);
  return true;
}

const ApiRoute vend_api_example_routes[] = {
  { "GET", "/v1/models/{owner}/{name}/examples", VEND_SCOPE_READ, VEND_BODY_NONE, list_examples,
    NULL, .runs_on = VEND_RUN_READ, .opened_by = "public-catalogue" },
  { "POST", "/v1/models/{owner}/{name}/examples", VEND_SCOPE_PUSH, VEND_BODY_BUFFER, add_example,
    NULL },
  { "PATCH", "/v1/models/{owner}/{name}/examples/{id}", VEND_SCOPE_PUSH, VEND_BODY_BUFFER,
    change_example, NULL },
  { "DELETE", "/v1/models/{owner}/{name}/examples/{id}", VEND_SCOPE_PUSH, VEND_BODY_NONE,
    delete_example, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
