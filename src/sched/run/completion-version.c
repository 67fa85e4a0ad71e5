/* The version that a training makes, as part of the transaction of its end. Writer thread. */
#include "base/error.h"
#include "model/weights.h"
#include "sched/run/completion.h"
#include "store/models.h"
#include "store/predictions.h"
#include "store/weights.h"
#include <string.h>

/* Text of the store for a file that came inside of the create. */
#define INPUT_SCHEME "vend-input:"

#define DESTINATION_GONE \
  "the destination was deleted while the training ran, so its weights are in no version"

/* The destination; NULL: it was deleted. */
static bool
find_destination (VendDb *db, const VendPrediction *p, VendModel **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_autoptr (GError) problem = NULL;
  int64_t id = 0;
  if (!vend_store_training_destination (db, p->id, &id, error))
    return false;
  if (id != 0 && !vend_store_model_get (db, id, &model, &problem)
      && problem->code != VEND_ERROR_NOT_FOUND)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  if (model != NULL && model->account_id == p->account_id)
    *out = g_steal_pointer (&model);
  return true;
}

/* ---- Where it came from */

/* Files that this server has had: place in the input, name and checksum. */
static json_t *
files_of (const json_t *files)
{
  json_t *list = json_array ();
  size_t i;
  json_t *file;
  json_array_foreach ((json_t *) files, i, file)
    if (json_object_get (file, "sha256") != NULL)
      json_array_append_new (list,
                             json_pack ("{s:O, s:O?, s:O}", "at", json_object_get (file, "at"),
                                        "name", json_object_get (file, "name"), "sha256",
                                        json_object_get (file, "sha256")));
  return list;
}

static json_t *
without_internal_text (const json_t *value)
{
  const char *key;
  json_t *item;
  size_t i;
  if (json_is_string (value) && g_str_has_prefix (json_string_value (value), INPUT_SCHEME))
    return json_null ();
  if (json_is_array (value))
    {
      json_t *list = json_array ();
      json_array_foreach ((json_t *) value, i, item)
        json_array_append_new (list, without_internal_text (item));
      return list;
    }
  if (!json_is_object (value))
    return json_incref ((json_t *) value);
  json_t *object = json_object ();
  json_object_foreach ((json_t *) value, key, item)
    json_object_set_new (object, key, without_internal_text (item));
  return object;
}

/* Whether the account of the training pushed what it trained: whoever may run a model of another
 * account may not see its source. */
static bool
find_own_source (VendDb *db, const VendPrediction *p, const VendVersion *base, bool *out,
                 GError **error)
{
  g_autoptr (VendModel) model = NULL;
  if (!vend_store_model_get (db, base->model_id, &model, error))
    return false;
  *out = model->account_id == p->account_id
         && (base->base == NULL
             || vend_json_bool (json_object_get (base->manifest, "facts"), VEND_FACT_OWN_SOURCE,
                                false));
  return true;
}

static bool
add_facts (VendDb *db, const VendPrediction *p, const VendVersion *base, VendVersion *version,
           GError **error)
{
  g_autoptr (VendPrediction) stored = vend_prediction_copy (p);
  bool is_own = false;
  if (!find_own_source (db, p, base, &is_own, error)
      || (p->input == NULL && !vend_store_prediction_input (db, stored, error)))
    return false;
  json_auto_t *shown = vend_prediction_shown_input (stored);
  json_object_set_new (version->manifest, "facts",
                       json_pack ("{s:s, s:s, s:b, s:o, s:o}", "training", p->id, "model", p->model,
                                  VEND_FACT_OWN_SOURCE, (int) is_own, "inputs",
                                  without_internal_text (shown), "files",
                                  files_of (stored->files)));
  return true;
}

/* ---- The end */

static void
end_as (VendPrediction *row, VendStatus status, const char *problem)
{
  g_autoptr (GError) error = NULL;
  if (!vend_prediction_set_status (row, status, &error))
    g_assert_not_reached ();
  g_free (row->error);
  row->error = g_strdup (problem);
}

static const json_t *
weights_in (const json_t *reported)
{
  return json_is_object (reported) ? json_object_get (reported, "weights") : reported;
}

static json_t *
output_of (const VendModel *destination, const VendVersion *version, const json_t *reported)
{
  g_autofree char *name
      = g_strdup_printf ("%s/%s:%s", destination->owner, destination->name, version->id);
  return json_pack ("{s:s, s:O}", "version", name, "weights", weights_in (reported));
}

/* A job may run several times. */
bool
vend_completion_make_version (VendDb *db, Completion *completion, VendVersion **out, GError **error)
{
  const VendPrediction *p = completion->p;
  g_autoptr (VendPrediction) row = vend_prediction_copy (p);
  g_autoptr (VendModel) destination = NULL;
  g_autoptr (VendVersion) base = NULL, version = NULL;
  g_clear_pointer (&completion->ended, vend_prediction_free);
  if (!find_destination (db, p, &destination, error))
    return false;
  if (destination == NULL)
    {
      end_as (row, VEND_STATUS_FAILED, DESTINATION_GONE);
      json_decref (row->output);
      row->output = json_pack ("{s:O}", "weights", weights_in (p->output));
      completion->ended = g_steal_pointer (&row);
      return true;
    }
  const VendWeights weights = { .name = completion->weights->name,
                                .size = completion->weights->size,
                                .sha256 = completion->weights->sha256 };
  if (!vend_store_version_get (db, p->model_id, p->version, &base, error))
    return false;
  version = vend_version_trained (base, &weights);
  version->model_id = destination->id;
  version->training = g_strdup (p->id);
  version->created_us = p->completed_us;
  if (!add_facts (db, p, base, version, error))
    return false;
  end_as (row, VEND_STATUS_SUCCEEDED, NULL);
  json_decref (row->output);
  row->output = output_of (destination, version, p->output);
  completion->ended = g_steal_pointer (&row);
  *out = g_steal_pointer (&version);
  return true;
}
