/* Search: GET /v1/search, and the method QUERY on the models. */
#include "api/api-private.h"
#include "base/error.h"
#include "store/collections.h"
#include "store/models.h"
#include "store/search.h"
#include <string.h>

#define DEFAULT_LIMIT 20
#define MAX_LIMIT 50
#define MAX_COLLECTIONS 10

static json_t *
found_model (json_t *model, double score)
{
  return json_pack ("{s:o, s:{s:n, s:[], s:f}}", "model", model, "metadata",
                    "generated_description", "tags", "score", score);
}

/* The models that `text` finds, as they are or with what search says of them. */
static bool
models (VendApi *api, VendDb *db, VendCall *call, const VendCaller *caller, const char *text,
        int limit, bool with_metadata, json_t **out, GError **error)
{
  g_autoptr (GPtrArray) hits = NULL;
  json_auto_t *list = json_array ();
  gsize shown_bytes = 0;
  if (!vend_store_search_models (db, text, caller->account->id, limit, &hits, error))
    return false;
  for (guint i = 0; i < hits->len; i++)
    {
      const VendHit *hit = g_ptr_array_index (hits, i);
      g_autoptr (VendModel) model = NULL;
      if (!vend_store_model_get (db, hit->id, &model, error))
        return false;
      json_t *shown
          = vend_api_show_model_of_many (api, db, model, vend_call_origin (call), &shown_bytes);
      json_array_append_new (list, with_metadata ? found_model (shown, hit->score) : shown);
    }
  *out = json_incref (list);
  return true;
}

static bool
collection_models (VendDb *db, const VendCaller *caller, int64_t id, json_t **out, GError **error)
{
  g_autoptr (GArray) ids = NULL;
  json_auto_t *names = json_array ();
  if (!vend_store_collection_models (db, id, &ids, error))
    return false;
  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (VendModel) model = NULL;
      if (!vend_store_model_get (db, g_array_index (ids, int64_t, i), &model, error))
        return false;
      g_autofree char *name = g_strdup_printf ("%s/%s", model->owner, model->name);
      if (vend_api_may_see (model, caller))
        json_array_append_new (names, json_string (name));
    }
  *out = json_incref (names);
  return true;
}

static bool
collections (VendDb *db, const VendCaller *caller, const char *text, json_t **out, GError **error)
{
  g_autoptr (GPtrArray) hits = NULL;
  json_auto_t *list = json_array ();
  if (!vend_store_search_collections (db, text, MAX_COLLECTIONS, &hits, error))
    return false;
  for (guint i = 0; i < hits->len; i++)
    {
      const VendHit *hit = g_ptr_array_index (hits, i);
      g_autoptr (VendCollection) collection = NULL;
      json_t *names = NULL;
      if (!vend_store_collection_get (db, hit->id, &collection, error)
          || !collection_models (db, caller, hit->id, &names, error))
        return false;
      json_t *object = vend_collection_to_json (collection);
      json_object_set_new (object, "models", names);
      json_array_append_new (list, object);
    }
  *out = json_incref (list);
  return true;
}

static bool
parse_limit (VendCall *call, int *out, GError **error)
{
  const char *text = vend_call_query (call, "limit");
  gint64 limit = DEFAULT_LIMIT;
  if (text != NULL && !g_ascii_string_to_signed (text, 10, 1, MAX_LIMIT, &limit, NULL))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "limit: expected a number from 1 to %d",
                      MAX_LIMIT);
  *out = (int) limit;
  return true;
}

static bool
search (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  const char *text = vend_call_query (call, "query");
  json_auto_t *found = NULL;
  json_auto_t *lists = NULL;
  int limit = 0;
  if (text == NULL || *text == '\0')
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "Query parameter \"query\" is required");
  if (!parse_limit (call, &limit, error))
    return false;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!models (api, reader.db, call, caller, text, limit, true, &found, error)
      || !collections (reader.db, caller, text, &lists, error))
    return false;
  json_t *body = json_object ();
  vend_json_set_string (body, "query", text);
  json_object_set (body, "models", found);
  json_object_set (body, "collections", lists);
  json_object_set_new (body, "pages", json_array ());
  *out = vend_reply_json (200, body);
  return true;
}

/* The body is the text as it is, or as a JSON string: the clients disagree. */
static bool
query_models (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  gsize size = 0;
  const char *body = vend_call_body (call, &size);
  g_autofree char *text = g_strndup (body != NULL ? body : "", size);
  json_auto_t *parsed = NULL;
  json_auto_t *found = NULL;
  json_t *model;
  size_t i;
  if (*g_strstrip (text) == '"' && vend_json_parse (text, strlen (text), &parsed, NULL)
      && json_is_string (parsed))
    {
      g_free (text);
      text = g_strdup (json_string_value (parsed));
    }
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!models (api, reader.db, call, caller, text, VEND_PAGE_SIZE, false, &found, error))
    return false;
  GString *results = vend_api_results ();
  json_array_foreach (found, i, model)
    vend_api_add_result (results, json_incref (model));
  *out = vend_api_page (call, results, false, 0, "", NULL);
  return true;
}

const ApiRoute vend_api_search_routes[] = {
  { "GET", "/v1/search", VEND_SCOPE_READ, VEND_BODY_NONE, search, NULL, .runs_on = VEND_RUN_READ,
    .opened_by = "public-catalogue" },
  { "QUERY", "/v1/models", VEND_SCOPE_READ, VEND_BODY_BUFFER, query_models, NULL,
    .runs_on = VEND_RUN_READ, .opened_by = "public-catalogue" },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
