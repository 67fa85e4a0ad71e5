/* Models: create, list, get, change, delete, readme. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/hardware.h"
#include "openai/mapping.h"
#include "store/aliases.h"
#include "store/examples.h"
#include "store/models.h"
#include <string.h>

#define MAX_SHORT 1000
#define MAX_README (1024 * 1024)
#define MAX_MODELS_OF_ACCOUNT 100000

json_t *
vend_api_show_model (VendApi *api, VendDb *db, const VendModel *model, const char *origin)
{
  g_autoptr (VendSharedVersion) latest = NULL;
  g_autoptr (VendPrediction) example = NULL;
  g_autoptr (GError) ignored = NULL;
  g_autoptr (GError) no_example = NULL;
  if (model->latest_version != NULL
      && !vend_versions_cache_get (api->versions, db, model->id, model->latest_version, &latest,
                                   &ignored))
    latest = NULL;
  if (model->default_example != NULL
      && !vend_store_example_get (db, model->default_example, &example, &no_example))
    example = NULL;
  json_t *shown
      = example != NULL ? vend_prediction_to_json (example, origin, VEND_VIEW_TRUTH) : NULL;
  json_t *value = vend_model_to_json (model, latest, shown, origin);
  if (latest != NULL)
    json_object_set_new (value, "openai", vend_api_openai_describe (db, model, latest));
  return value;
}

json_t *
vend_api_show_model_of_many (VendApi *api, VendDb *db, const VendModel *model, const char *origin,
                             gsize *shown_bytes)
{
  const bool is_whole = *shown_bytes < VEND_PAGE_BYTES;
  json_t *shown = is_whole ? vend_api_show_model (api, db, model, origin)
                           : vend_model_to_json (model, NULL, NULL, origin);
  if (!is_whole)
    vend_json_set_string (shown, "description", NULL);
  *shown_bytes += vend_json_size (shown);
  return shown;
}

static bool
get_model (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_model (api, reader.db, call, caller, &model, error))
    return false;
  *out
      = vend_reply_json (200, vend_api_show_model (api, reader.db, model, vend_call_origin (call)));
  return true;
}

static bool
parse_sort (VendCall *call, VendModelPage *page, GError **error)
{
  const char *by = vend_call_query (call, "sort_by");
  const char *direction = vend_call_query (call, "sort_direction");
  if (by != NULL && strcmp (by, "model_created_at") != 0
      && strcmp (by, "latest_version_created_at") != 0)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                      "sort_by: expected model_created_at or latest_version_created_at");
  if (direction != NULL && strcmp (direction, "asc") != 0 && strcmp (direction, "desc") != 0)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "sort_direction: expected asc or desc");
  page->by_creation = g_strcmp0 (by, "model_created_at") == 0;
  page->ascending = g_strcmp0 (direction, "asc") == 0;
  return true;
}

static bool
list_models (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  static const char *const keep[] = { "sort_by", "sort_direction", NULL };
  VendModelPage page = { .viewer = caller->account->id };
  VendPage rows = { .limit = VEND_PAGE_SIZE };
  g_auto (ApiCursor) cursor = { 0 };
  g_autoptr (GPtrArray) models = NULL;
  if (!parse_sort (call, &page, error) || !vend_api_cursor (call, &cursor, error))
    return false;
  page.first = cursor.first;
  page.after_us = cursor.after_us;
  if (!cursor.first
      && !g_ascii_string_to_signed (cursor.after_id, 10, 0, G_MAXINT64, &page.after_id, NULL))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                      "cursor: expected the cursor of a 'next' URL of this server");

  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_model_page (reader.db, &page, &rows, &models, error))
    return false;
  GString *results = vend_api_results ();
  const VendModel *last = NULL;
  gsize shown_bytes = 0;
  guint n = 0;
  /* Models are shown with their examples and schemas. */
  for (; n < models->len && shown_bytes < VEND_PAGE_BYTES; n++)
    {
      last = g_ptr_array_index (models, n);
      vend_api_add_result (results,
                           vend_api_show_model_of_many (api, reader.db, last,
                                                        vend_call_origin (call), &shown_bytes));
    }
  g_autofree char *last_id = g_strdup_printf ("%" G_GINT64_FORMAT, last != NULL ? last->id : 0);
  *out = vend_api_page (call, results, rows.more || n < models->len,
                        last != NULL ? last->sort_us : 0, last_id, keep);
  return true;
}

static bool
copy_url (const json_t *body, const char *key, char **field, GError **error)
{
  const char *text = NULL;
  if (json_object_get (body, key) == NULL)
    return true;
  if (!vend_api_optional_url (body, key, &text, error))
    return false;
  g_free (*field);
  *field = g_strdup (text);
  return true;
}

/* Members that POST and PATCH share. */
static bool
copy_details (const json_t *body, VendModel *model, GError **error)
{
  return vend_api_change_text (body, "description", MAX_README, &model->description, error)
         && vend_api_change_text (body, "readme", MAX_README, &model->readme, error)
         && copy_url (body, "github_url", &model->github_url, error)
         && copy_url (body, "paper_url", &model->paper_url, error)
         && copy_url (body, "license_url", &model->license_url, error)
         && copy_url (body, "weights_url", &model->weights_url, error)
         && copy_url (body, "cover_image_url", &model->cover_image_url, error);
}

static bool
parse_visibility (const char *text, bool *out_private, GError **error)
{
  if (strcmp (text, "private") != 0 && strcmp (text, "public") != 0)
    return vend_fail (error, VEND_ERROR_INVALID, "visibility: expected 'public' or 'private'");
  *out_private = strcmp (text, "private") == 0;
  return true;
}

static bool
insert (VendDb *db, void *data, GError **error)
{
  VendModel *model = data;
  int64_t count = 0;
  if (!vend_store_model_count (db, model->account_id, &count, error))
    return false;
  if (count >= MAX_MODELS_OF_ACCOUNT)
    return vend_fail (error, VEND_ERROR_INVALID, "an account has at most %d models",
                      MAX_MODELS_OF_ACCOUNT);
  return vend_store_model_insert (db, model, error);
}

static bool
create_model (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  const char *owner = NULL, *name = NULL, *visibility = NULL, *hardware = NULL;
  g_autoptr (VendModel) model = vend_model_new ();
  if (!vend_api_object (call, &body, error)
      || !vend_api_text (body, "owner", MAX_SHORT, &owner, error)
      || !vend_api_text (body, "name", MAX_SHORT, &name, error)
      || !vend_api_text (body, "visibility", MAX_SHORT, &visibility, error)
      || !vend_api_text (body, "hardware", MAX_SHORT, &hardware, error)
      || !vend_name_check ("name", name, error) || !vend_name_check ("owner", owner, error)
      || !parse_visibility (visibility, &model->is_private, error)
      || !copy_details (body, model, error))
    return false;
  if (strcmp (owner, caller->account->username) != 0)
    return vend_fail (error, VEND_ERROR_FORBIDDEN,
                      "owner: this token belongs to '%s', and cannot create models of '%s'",
                      caller->account->username, owner);
  if (!vend_hardware_has (api->hardware, hardware))
    {
      g_autofree char *skus = vend_hardware_skus (api->hardware);
      return vend_fail (error, VEND_ERROR_INVALID,
                        "hardware: there is no '%.100s'; expected one of: %s", hardware, skus);
    }
  model->account_id = caller->account->id;
  model->owner = g_strdup (owner);
  model->name = g_strdup (name);
  model->hardware = g_strdup (hardware);
  model->created_us = vend_now_us ();
  if (!vend_store_write_wait (api->parts.store, insert, model, error))
    {
      if (g_error_matches (*error, VEND_ERROR, VEND_ERROR_EXISTS))
        {
          g_clear_error (error);
          vend_fail (error, VEND_ERROR_EXISTS, "the model %s/%s already exists", owner, name);
        }
      return false;
    }
  *out = vend_reply_json (201, vend_model_to_json (model, NULL, NULL, vend_call_origin (call)));
  return true;
}

typedef struct
{
  int64_t id;
  const json_t *body;
  const char *visibility; /* or NULL */
  const json_t *openai;   /* or NULL */
} ModelChange;

static bool
apply (const ModelChange *change, VendModel *model, GError **error)
{
  return (change->visibility == NULL
          || parse_visibility (change->visibility, &model->is_private, error))
         && copy_details (change->body, model, error);
}

/* On the row as it is then: a push may have changed it since the request came. */
static bool
update (VendDb *db, void *data, GError **error)
{
  const ModelChange *change = data;
  g_autoptr (VendModel) model = NULL;
  return vend_store_model_get (db, change->id, &model, error) && apply (change, model, error)
         && vend_store_model_update (db, model, error)
         && (change->openai == NULL
             || vend_store_openai_mapping_set (db, change->id, change->openai, error));
}

/* `*out` is {} for null, which takes the mapping back, and NULL when there is no such member. */
static bool
read_openai (VendApi *api, VendDb *db, const VendModel *model, const json_t *body, json_t **out,
             GError **error)
{
  const json_t *given = json_object_get (body, "openai");
  g_autoptr (VendSharedVersion) latest = NULL;
  if (given == NULL)
    return true;
  json_auto_t *mapping = json_is_null (given) ? json_object () : json_incref ((json_t *) given);
  g_autofree char *problem = vend_openai_mapping_problem (mapping);
  if (problem == NULL && model->latest_version != NULL)
    {
      if (!vend_versions_cache_get (api->versions, db, model->id, model->latest_version, &latest,
                                    error))
        return false;
      problem = vend_openai_mapping_misfit (mapping, latest->openapi);
    }
  if (problem != NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "openai: %s", problem);
  *out = g_steal_pointer (&mapping);
  return true;
}

static bool
patch_model (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendModel) now = NULL;
  const char *visibility = NULL;
  json_auto_t *openai = NULL;
  if (!vend_api_object (call, &body, error)
      || !vend_api_optional_text (body, "visibility", MAX_SHORT, &visibility, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_own_model (api, reader.db, call, caller, &model, error)
        || !read_openai (api, reader.db, model, body, &openai, error))
      return false;
  }
  ModelChange change = { model->id, body, visibility, openai };
  if (!apply (&change, model, error)
      || !vend_store_write_wait (api->parts.store, update, &change, error))
    return false;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_model_get (reader.db, model->id, &now, error))
    return false;
  *out = vend_reply_json (200, vend_api_show_model (api, reader.db, now, vend_call_origin (call)));
  return true;
}

static bool
delete_row (VendDb *db, void *data, GError **error)
{
  const VendModel *model = data;
  g_autoptr (VendModel) now = NULL;
  if (!vend_store_model_get (db, model->id, &now, error))
    return false;
  if (now->latest_version != NULL)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "the model %s/%s still has versions; delete them first with 'vend versions "
                      "%s/%s delete ID'",
                      now->owner, now->name, now->owner, now->name);
  return vend_store_model_delete (db, model->id, error);
}

static bool
delete_model (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_own_model (api, reader.db, call, caller, &model, error))
      return false;
  }
  if (!model->is_private)
    return vend_fail (error, VEND_ERROR_CONFLICT, "a public model cannot be deleted");
  if (!vend_store_write_wait (api->parts.store, delete_row, model, error))
    return false;
  *out = vend_reply_empty (204);
  return true;
}

static bool
get_readme (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_model (api, reader.db, call, caller, &model, error))
    return false;
  if (model->readme == NULL)
    return vend_api_not_found (error);
  *out = vend_reply_new (200, "text/plain; charset=utf-8", model->readme, strlen (model->readme));
  return true;
}

const ApiRoute vend_api_model_routes[] = {
  { "GET", "/v1/models", VEND_SCOPE_READ, VEND_BODY_NONE, list_models, NULL,
    .runs_on = VEND_RUN_READ, .opened_by = "public-catalogue" },
  { "POST", "/v1/models", VEND_SCOPE_PUSH, VEND_BODY_BUFFER, create_model, NULL },
  { "GET", "/v1/models/{owner}/{name}", VEND_SCOPE_READ, VEND_BODY_NONE, get_model, NULL,
    .runs_on = VEND_RUN_READ, .opened_by = "public-catalogue" },
  { "PATCH", "/v1/models/{owner}/{name}", VEND_SCOPE_PUSH, VEND_BODY_BUFFER, patch_model, NULL },
  { "DELETE", "/v1/models/{owner}/{name}", VEND_SCOPE_PUSH, VEND_BODY_NONE, delete_model, NULL },
  { "GET", "/v1/models/{owner}/{name}/readme", VEND_SCOPE_READ, VEND_BODY_NONE, get_readme, NULL,
    .runs_on = VEND_RUN_READ, .opened_by = "public-catalogue" },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
