/* Managed weights of versions: what is on disk, fetched again, pinned and removed. For the owner of
 * the model. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/models.h"
#include "store/weight-sets.h"
#include "weights/shelf.h"
#include <string.h>

const char *
vend_api_weights_state (const VendApi *api, const VendHeldWeights *held)
{
  return held->is_present                                               ? "present"
         : vend_shelf_is_fetching (api->parts.shelf, held->set->digest) ? "fetching"
                                                                        : "absent";
}

static bool
to_json (const VendApi *api, const VendHeldWeights *held, json_t **out, GError **error)
{
  const VendWeightSet *set = held->set;
  bool is_used = false;
  if (!vend_shelf_is_used (api->parts.shelf, set->digest, &is_used, error))
    return false;
  g_autofree char *model = g_strdup_printf ("%s/%s", held->owner, held->model);
  g_autofree char *problem
      = held->is_present ? NULL : vend_shelf_problem (api->parts.shelf, set->digest);
  json_t *object = json_object ();
  vend_json_set_string (object, "model", model);
  vend_json_set_string (object, "version", held->version);
  vend_json_set_string (object, "name", set->name);
  vend_json_set_string (object, "target", set->target);
  vend_json_set_string (object, "source", set->source);
  vend_json_set_string (object, "digest", set->digest);
  vend_json_set_int (object, "size", set->size);
  vend_json_set_int (object, "files", set->files->len);
  vend_json_set_string (object, "state", vend_api_weights_state (api, held));
  vend_json_set_string (object, "error", problem);
  vend_json_set_bool (object, "can_fetch", set->can_fetch);
  vend_json_set_bool (object, "pinned", held->is_pinned);
  vend_json_set_bool (object, "in_use", is_used);
  vend_json_set_time (object, "used_at", held->used_us);
  *out = object;
  return true;
}

static bool
all_to_json (const VendApi *api, const GPtrArray *rows, json_t **out, GError **error)
{
  json_auto_t *list = json_array ();
  for (guint i = 0; i < rows->len; i++)
    {
      json_t *object = NULL;
      if (!to_json (api, g_ptr_array_index (rows, i), &object, error))
        return false;
      json_array_append_new (list, object);
    }
  *out = json_incref (list);
  return true;
}

/* ---- The list of an account */

/* "owner/model/version/name" of the last row. */
static bool
read_after (const ApiCursor *cursor, VendHeldWeights **out, GError **error)
{
  if (cursor->first)
    return true;
  g_auto (GStrv) parts = g_strsplit (cursor->after_id, "/", -1);
  if (g_strv_length (parts) != 4)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                      "cursor: expected the cursor of a 'next' URL of this server");
  VendHeldWeights *after = g_new0 (VendHeldWeights, 1);
  after->set = vend_weight_set_new ();
  after->owner = g_strdup (parts[0]);
  after->model = g_strdup (parts[1]);
  after->version = g_strdup (parts[2]);
  after->set->name = g_strdup (parts[3]);
  *out = after;
  return true;
}

static bool
list_weights (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_auto (ApiCursor) cursor = { 0 };
  g_autoptr (VendHeldWeights) after = NULL;
  g_autoptr (GPtrArray) rows = NULL;
  VendPage page = { .limit = VEND_PAGE_SIZE };
  json_auto_t *list = NULL;
  if (!vend_api_cursor (call, &cursor, error) || !read_after (&cursor, &after, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_weights_held_by_account (reader.db, caller->account->id, after, &page, &rows,
                                             error))
      return false;
  }
  if (!all_to_json (api, rows, &list, error))
    return false;
  GString *results = vend_api_results ();
  for (size_t i = 0; i < json_array_size (list); i++)
    vend_api_add_result (results, json_incref (json_array_get (list, i)));
  const VendHeldWeights *last = rows->len > 0 ? g_ptr_array_index (rows, rows->len - 1) : NULL;
  g_autofree char *last_id = last != NULL ? g_strjoin ("/", last->owner, last->model, last->version,
                                                       last->set->name, NULL)
                                          : NULL;
  *out = vend_api_page (call, results, page.more, 0, last_id, NULL);
  return true;
}

/* ---- Those of a version */

static bool
find_held (VendApi *api, VendCall *call, const VendCaller *caller, int64_t *out_model,
           GPtrArray **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendVersion) version = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_own_model (api, reader.db, call, caller, &model, error)
      || !vend_store_version_get (reader.db, model->id, vend_call_param (call, "id"), &version,
                                  error))
    return false;
  *out_model = model->id;
  return vend_store_weights_held_by_version (reader.db, model->id, version->id, out, error);
}

static bool
show_held (VendApi *api, VendCall *call, const VendCaller *caller, int status, VendReply **out,
           GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;
  json_t *list = NULL;
  int64_t model_id = 0;
  if (!find_held (api, call, caller, &model_id, &rows, error)
      || !all_to_json (api, rows, &list, error))
    return false;
  *out = vend_reply_json (status, json_pack ("{s:o}", "weights", list));
  return true;
}

static bool
get_weights (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return show_held (api, call, caller, 200, out, error);
}

static void
pulled (const GError *error, void *data)
{
}

static bool
pull_weights (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;
  int64_t model_id = 0;
  if (!find_held (api, call, caller, &model_id, &rows, error))
    return false;
  g_autoptr (GPtrArray) sets
      = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_weight_set_free);
  for (guint i = 0; i < rows->len; i++)
    {
      VendHeldWeights *held = g_ptr_array_index (rows, i);
      if (!held->is_present)
        g_ptr_array_add (sets, g_steal_pointer (&held->set));
    }
  if (sets->len > 0)
    vend_shelf_fetch (api->parts.shelf, g_steal_pointer (&sets), pulled, NULL);
  return show_held (api, call, caller, 202, out, error);
}

typedef struct
{
  int64_t model_id;
  const char *version;
  bool is_pinned;
} Pin;

static bool
store_pin (VendDb *db, void *data, GError **error)
{
  const Pin *pin = data;
  return vend_store_weight_sets_pin (db, pin->model_id, pin->version, pin->is_pinned, error);
}

static bool
set_pin (VendApi *api, VendCall *call, VendCaller *caller, bool is_pinned, VendReply **out,
         GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;
  Pin pin = { .version = vend_call_param (call, "id"), .is_pinned = is_pinned };
  return find_held (api, call, caller, &pin.model_id, &rows, error)
         && vend_store_write_wait (api->parts.store, store_pin, &pin, error)
         && show_held (api, call, caller, 200, out, error);
}

static bool
pin_weights (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return set_pin (api, call, caller, true, out, error);
}

static bool
unpin_weights (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return set_pin (api, call, caller, false, out, error);
}

static bool
check_removal (const GPtrArray *rows, GError **error)
{
  for (guint i = 0; i < rows->len; i++)
    {
      const VendHeldWeights *held = g_ptr_array_index (rows, i);
      if (held->is_pinned)
        return vend_fail (error, VEND_ERROR_CONFLICT,
                          "the weights '%s' are pinned; unpin them first", held->set->name);
      if (!held->set->can_fetch)
        return vend_fail (error, VEND_ERROR_CONFLICT,
                          "the weights '%s' came with a push, and cannot be fetched again; they go "
                          "with their versions",
                          held->set->name);
    }
  return true;
}

static bool
delete_weights (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;
  int64_t model_id = 0;
  if (!find_held (api, call, caller, &model_id, &rows, error) || !check_removal (rows, error))
    return false;
  for (guint i = 0; i < rows->len; i++)
    {
      const VendHeldWeights *held = g_ptr_array_index (rows, i);
      if (held->is_present && !vend_shelf_remove (api->parts.shelf, held->set, error))
        return false;
    }
  return show_held (api, call, caller, 200, out, error);
}

#define WEIGHTS "/v1/models/{owner}/{name}/versions/{id}/weights"

const ApiRoute vend_api_weight_routes[] = {
  { "GET", "/v1/weights", VEND_SCOPE_READ, VEND_BODY_NONE, list_weights, NULL,
    .runs_on = VEND_RUN_READ },
  { "GET", WEIGHTS, VEND_SCOPE_READ, VEND_BODY_NONE, get_weights, NULL, .runs_on = VEND_RUN_READ },
  { "POST", WEIGHTS "/pull", VEND_SCOPE_PUSH, VEND_BODY_NONE, pull_weights, NULL,
    .runs_on = VEND_RUN_READ },
  { "POST", WEIGHTS "/pin", VEND_SCOPE_PUSH, VEND_BODY_NONE, pin_weights, NULL },
  { "POST", WEIGHTS "/unpin", VEND_SCOPE_PUSH, VEND_BODY_NONE, unpin_weights, NULL },
  { "DELETE", WEIGHTS, VEND_SCOPE_PUSH, VEND_BODY_NONE, delete_weights, NULL,
    .runs_on = VEND_RUN_BYTES },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
