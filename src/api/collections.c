/* Collections: anybody reads them, admins make them. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/collections.h"
#include "store/models.h"

#define MAX_SHORT 1000
#define MAX_LONG (64 * 1024)
#define MAX_MODELS 1000

static bool
load (VendDb *db, VendCall *call, VendCollection **out, GError **error)
{
  return vend_store_collection_by_slug (db, vend_call_param (call, "slug"), out, error);
}

static bool
list_collections (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  int64_t after_us = 0, after_id = 0;
  g_autoptr (GPtrArray) collections = NULL;
  VendPage page = { .limit = VEND_PAGE_SIZE };
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_number_cursor (call, &after_us, &after_id, error)
      || !vend_store_collection_page (reader.db, after_us, after_id, &page, &collections, error))
    return false;
  GString *results = vend_api_results ();
  g_autofree char *last_id = NULL;
  int64_t last_us = 0;
  for (guint i = 0; i < collections->len; i++)
    {
      const VendCollection *collection = g_ptr_array_index (collections, i);
      vend_api_add_result (results, vend_collection_to_json (collection));
      last_us = collection->created_us;
      g_free (last_id);
      last_id = g_strdup_printf ("%" G_GINT64_FORMAT, collection->id);
    }
  *out = vend_api_page (call, results, page.more, last_us, last_id, NULL);
  return true;
}

/* The whole collection, with the models that the caller may see. */
static bool
show (VendApi *api, VendDb *db, VendCall *call, const VendCaller *caller,
      const VendCollection *collection, json_t **out, GError **error)
{
  g_autoptr (GArray) ids = NULL;
  json_auto_t *object = vend_collection_to_json (collection);
  json_t *models = json_array ();
  gsize shown_bytes = 0;
  vend_json_set_string (object, "full_description", collection->full_description);
  json_object_set_new (object, "models", models);
  if (!vend_store_collection_models (db, collection->id, &ids, error))
    return false;
  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (VendModel) model = NULL;
      if (!vend_store_model_get (db, g_array_index (ids, int64_t, i), &model, error))
        return false;
      if (vend_api_may_see (model, caller))
        json_array_append_new (models, vend_api_show_model_of_many (
                                           api, db, model, vend_call_origin (call), &shown_bytes));
    }
  *out = json_incref (object);
  return true;
}

static bool
answer (VendApi *api, VendCall *call, const VendCaller *caller, const VendCollection *collection,
        int status, VendReply **out, GError **error)
{
  json_t *object = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!show (api, reader.db, call, caller, collection, &object, error))
    return false;
  *out = vend_reply_json (status, object);
  return true;
}

static bool
get_collection (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendCollection) collection = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!load (reader.db, call, &collection, error))
      return false;
  }
  return answer (api, call, caller, collection, 200, out, error);
}

/* ---- Changes */

typedef struct
{
  VendCollection *collection;
  GArray *models; /* NULL: as they are */
} Change;

static bool
add_model (VendDb *db, const VendCaller *caller, const json_t *item, size_t i, GArray *models,
           GError **error)
{
  g_autofree char *owner = NULL, *name = NULL, *version = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (GError) problem = NULL;
  if (!json_is_string (item)
      || !vend_reference_parse (json_string_value (item), &owner, &name, &version, &problem)
      || !vend_store_model_by_name (db, owner, name, &model, &problem)
      || !vend_api_may_see (model, caller))
    return vend_fail (error, VEND_ERROR_INVALID, "models[%zu]: expected the name of a model, %s", i,
                      problem != NULL ? problem->message : "as owner/name");
  for (guint j = 0; j < models->len; j++)
    if (g_array_index (models, int64_t, j) == model->id)
      return vend_fail (error, VEND_ERROR_INVALID, "models[%zu]: %s/%s is listed twice", i, owner,
                        name);
  g_array_append_val (models, model->id);
  return true;
}

static bool
read_models (VendApi *api, const VendCaller *caller, const json_t *body, GArray **out,
             GError **error)
{
  const json_t *list = json_object_get (body, "models");
  g_autoptr (GArray) models = g_array_new (FALSE, FALSE, sizeof (int64_t));
  size_t i;
  json_t *item;
  if (list == NULL || json_is_null (list))
    return true;
  if (!json_is_array (list) || json_array_size (list) > MAX_MODELS)
    return vend_fail (error, VEND_ERROR_INVALID, "models: expected a list of at most %d names",
                      MAX_MODELS);
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  json_array_foreach ((json_t *) list, i, item)
    if (!add_model (reader.db, caller, item, i, models, error))
      return false;
  *out = g_steal_pointer (&models);
  return true;
}

static bool
read_body (VendApi *api, const VendCaller *caller, const json_t *body, VendCollection *collection,
           GArray **out_models, GError **error)
{
  if (!vend_api_change_text (body, "name", MAX_SHORT, &collection->name, error)
      || !vend_api_change_text (body, "description", MAX_LONG, &collection->description, error)
      || !vend_api_change_text (body, "full_description", MAX_LONG, &collection->full_description,
                                error)
      || !read_models (api, caller, body, out_models, error))
    return false;
  /* The clients want a text in both. */
  if (collection->name == NULL)
    collection->name = g_strdup (collection->slug);
  if (collection->description == NULL)
    collection->description = g_strdup ("");
  return true;
}

static bool
insert (VendDb *db, void *data, GError **error)
{
  Change *change = data;
  return vend_store_collection_insert (db, change->collection, error)
         && (change->models == NULL
             || vend_store_collection_set_models (db, change->collection->id, change->models,
                                                  error));
}

static bool
create_collection (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                   GError **error)
{
  json_auto_t *body = NULL;
  const char *slug = NULL;
  g_autoptr (GArray) models = NULL;
  g_autoptr (VendCollection) collection = g_new0 (VendCollection, 1);
  if (!vend_api_object (call, &body, error)
      || !vend_api_text (body, "slug", MAX_SHORT, &slug, error)
      || !vend_name_check ("slug", slug, error))
    return false;
  collection->slug = g_strdup (slug);
  collection->created_us = vend_now_us ();
  if (!read_body (api, caller, body, collection, &models, error))
    return false;
  Change change = { collection, models };
  if (!vend_store_write_wait (api->parts.store, insert, &change, error))
    {
      if (g_error_matches (*error, VEND_ERROR, VEND_ERROR_EXISTS))
        {
          g_clear_error (error);
          vend_fail (error, VEND_ERROR_EXISTS, "the collection %s already exists", slug);
        }
      return false;
    }
  return answer (api, call, caller, collection, 201, out, error);
}

static bool
update (VendDb *db, void *data, GError **error)
{
  const Change *change = data;
  return vend_store_collection_update (db, change->collection, error)
         && (change->models == NULL
             || vend_store_collection_set_models (db, change->collection->id, change->models,
                                                  error));
}

static bool
patch_collection (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  g_autoptr (GArray) models = NULL;
  g_autoptr (VendCollection) collection = NULL;
  if (!vend_api_object (call, &body, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!load (reader.db, call, &collection, error))
      return false;
  }
  if (!read_body (api, caller, body, collection, &models, error))
    return false;
  Change change = { collection, models };
  return vend_store_write_wait (api->parts.store, update, &change, error)
         && answer (api, call, caller, collection, 200, out, error);
}

static bool
delete_row (VendDb *db, void *data, GError **error)
{
  g_autoptr (VendCollection) collection = NULL;
  return vend_store_collection_by_slug (db, data, &collection, error)
         && vend_store_collection_delete (db, collection->id, error);
}

static bool
delete_collection (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                   GError **error)
{
  if (!vend_store_write_wait (api->parts.store, delete_row, (void *) vend_call_param (call, "slug"),
                              error))
    return false;
  *out = vend_reply_empty (204);
  return true;
}

const ApiRoute vend_api_collection_routes[] = {
  { "GET", "/v1/collections", VEND_SCOPE_READ, VEND_BODY_NONE, list_collections, NULL,
    .runs_on = VEND_RUN_READ, .opened_by = "public-catalogue" },
  { "POST", "/v1/collections", VEND_SCOPE_ADMIN, VEND_BODY_BUFFER, create_collection, NULL },
  { "GET", "/v1/collections/{slug}", VEND_SCOPE_READ, VEND_BODY_NONE, get_collection, NULL,
    .runs_on = VEND_RUN_READ, .opened_by = "public-catalogue" },
  { "PATCH", "/v1/collections/{slug}", VEND_SCOPE_ADMIN, VEND_BODY_BUFFER, patch_collection, NULL },
  { "DELETE", "/v1/collections/{slug}", VEND_SCOPE_ADMIN, VEND_BODY_NONE, delete_collection, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
