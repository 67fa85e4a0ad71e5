/* Predictions and trainings: one run of a version. Plain values. */
#include "model/prediction.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "model/capability.h"
#include <string.h>

#define OUTPUT_SCHEME "vend-output:"
#define INPUT_SCHEME "vend-input:"
#define INPUT_PURPOSE "input"
#define STREAM_PURPOSE "stream"

VendPrediction *
vend_prediction_new (void)
{
  VendPrediction *prediction = g_new0 (VendPrediction, 1);
  prediction->logs = g_strdup ("");
  return prediction;
}

void
vend_prediction_free (VendPrediction *prediction)
{
  if (prediction == NULL)
    return;
  g_free (prediction->id);
  g_free (prediction->model);
  g_free (prediction->version);
  g_free (prediction->deployment);
  json_decref (prediction->input);
  json_decref (prediction->files);
  g_clear_pointer (&prediction->kept, g_ptr_array_unref);
  json_decref (prediction->secrets);
  json_decref (prediction->output);
  g_free (prediction->logs);
  g_free (prediction->error);
  g_free (prediction->error_code);
  json_decref (prediction->metrics);
  g_free (prediction->instance);
  g_free (prediction->webhook);
  json_decref (prediction->webhook_events);
  vend_idempotency_key_free (prediction->idempotency_key);
  g_free (prediction->origin);
  g_free (prediction);
}

VendPrediction *
vend_prediction_copy (const VendPrediction *prediction)
{
  VendPrediction *copy = g_new0 (VendPrediction, 1);
  *copy = *prediction;
  copy->id = g_strdup (prediction->id);
  copy->model = g_strdup (prediction->model);
  copy->version = g_strdup (prediction->version);
  copy->deployment = g_strdup (prediction->deployment);
  json_incref (copy->input);
  json_incref (copy->files);
  copy->kept = prediction->kept != NULL ? g_ptr_array_ref (prediction->kept) : NULL;
  json_incref (copy->secrets);
  json_incref (copy->output);
  copy->logs = g_strdup (prediction->logs);
  copy->error = g_strdup (prediction->error);
  copy->error_code = g_strdup (prediction->error_code);
  /* Copied: the one value that grows in place while the model runs. */
  copy->metrics = json_copy (prediction->metrics);
  copy->instance = g_strdup (prediction->instance);
  copy->webhook = g_strdup (prediction->webhook);
  json_incref (copy->webhook_events);
  copy->origin = g_strdup (prediction->origin);
  copy->idempotency_key = prediction->idempotency_key != NULL
                              ? vend_idempotency_key_copy (prediction->idempotency_key)
                              : NULL;
  return copy;
}

VendBilling
vend_prediction_billing_of (const VendPrediction *prediction, const VendModel *model)
{
  if (prediction->deployment != NULL)
    return (VendBilling){ prediction->account_id, true };
  return model != NULL ? (VendBilling){ model->account_id, model->is_private } : (VendBilling){ 0 };
}

bool
vend_prediction_set_status (VendPrediction *prediction, VendStatus to, GError **error)
{
  if (!vend_status_may_move (prediction->status, to))
    return vend_fail (error, VEND_ERROR_CONFLICT, "prediction %s is %s and cannot become %s",
                      prediction->id, vend_status_name (prediction->status), vend_status_name (to));
  prediction->status = to;
  return true;
}

json_t *
vend_prediction_shown_input (const VendPrediction *prediction)
{
  if (prediction->secrets == NULL)
    return json_incref (prediction->input);

  json_t *shown = json_copy (prediction->input);
  size_t i;
  json_t *name;
  json_array_foreach (prediction->secrets, i, name)
    {
      const char *key = json_string_value (name);
      if (json_object_get (shown, key) != NULL)
        json_object_set_new (shown, key, json_string (VEND_REDACTED));
    }
  return shown;
}

char *
vend_input_file_token (const char *prediction, guint n)
{
  g_autofree char *text = g_strdup_printf ("%s %u", prediction, n);
  return vend_capability_new (INPUT_PURPOSE, text);
}

char *
vend_input_file_text (guint n, const char *token, const char *name)
{
  g_autofree char *escaped = g_uri_escape_string (name, NULL, FALSE);
  return g_strdup_printf (INPUT_SCHEME "%u/%s/%s", n, token, escaped);
}

char *
vend_output_file_text (const char *token, const char *name)
{
  g_autofree char *escaped = g_uri_escape_string (name, NULL, FALSE);
  return g_strdup_printf (OUTPUT_SCHEME "%s/%s", token, escaped);
}

/* The part of the text that stands in its URL; NULL for texts of a caller in the same form. */
static const char *
input_file_place (const VendPrediction *prediction, const char *text)
{
  if (text == NULL || !g_str_has_prefix (text, INPUT_SCHEME))
    return NULL;
  char *end = NULL;
  const guint64 n = g_ascii_strtoull (text + strlen (INPUT_SCHEME), &end, 10);
  if (n > G_MAXUINT || *end != '/' || strlen (end + 1) <= VEND_CAPABILITY_LENGTH
      || end[1 + VEND_CAPABILITY_LENGTH] != '/')
    return NULL;
  g_autofree char *of = g_strdup_printf ("%s %u", prediction->id, (guint) n);
  g_autofree char *token = g_strndup (end + 1, VEND_CAPABILITY_LENGTH);
  return vend_capability_fits (INPUT_PURPOSE, of, token) ? end + 1 : NULL;
}

/* Files of a create are members of an input, or items of a list member; those of an example may be
 * anywhere. */
static json_t *
input_value_with_urls (const VendPrediction *prediction, json_t *value, const char *origin)
{
  const char *key;
  json_t *item, *shown;
  size_t i;
  switch (json_typeof (value))
    {
    case JSON_STRING:
      {
        const char *place = input_file_place (prediction, json_string_value (value));
        if (place == NULL)
          return json_incref (value);
        g_autofree char *url = g_strdup_printf ("%s/v1/outputs/%s", origin, place);
        return json_string (url);
      }
    case JSON_ARRAY:
      shown = json_array ();
      json_array_foreach (value, i, item)
        json_array_append_new (shown, input_value_with_urls (prediction, item, origin));
      return shown;
    case JSON_OBJECT:
      shown = json_object ();
      json_object_foreach (value, key, item)
        json_object_set_new (shown, key, input_value_with_urls (prediction, item, origin));
      return shown;
    default:
      return json_incref (value);
    }
}

static bool
names_input_files (const json_t *value)
{
  const char *key;
  json_t *item;
  size_t i;
  if (json_is_string (value))
    return g_str_has_prefix (json_string_value (value), INPUT_SCHEME);
  json_array_foreach ((json_t *) value, i, item)
    if (names_input_files (item))
      return true;
  json_object_foreach ((json_t *) value, key, item)
    if (names_input_files (item))
      return true;
  return false;
}

static json_t *
input_with_urls (const VendPrediction *prediction, const char *origin)
{
  json_auto_t *input = vend_prediction_shown_input (prediction);
  if (input == NULL)
    return json_object ();
  return names_input_files (input) ? input_value_with_urls (prediction, input, origin)
                                   : json_incref (input);
}

json_t *
vend_output_with_urls (const json_t *output, const char *origin)
{
  const char *key;
  json_t *item, *shown;
  size_t i;

  switch (output != NULL ? json_typeof (output) : JSON_NULL)
    {
    case JSON_STRING:
      {
        const char *text = json_string_value (output);
        if (!g_str_has_prefix (text, OUTPUT_SCHEME))
          return json_incref ((json_t *) output);
        g_autofree char *url
            = g_strdup_printf ("%s/v1/outputs/%s", origin, text + strlen (OUTPUT_SCHEME));
        return json_string (url);
      }
    case JSON_ARRAY:
      shown = json_array ();
      json_array_foreach ((json_t *) output, i, item)
        json_array_append_new (shown, vend_output_with_urls (item, origin));
      return shown;
    case JSON_OBJECT:
      shown = json_object ();
      json_object_foreach ((json_t *) output, key, item)
        json_object_set_new (shown, key, vend_output_with_urls (item, origin));
      return shown;
    case JSON_NULL:
      return json_null ();
    default:
      return json_incref ((json_t *) output);
    }
}

char *
vend_prediction_stream_token (const VendPrediction *prediction)
{
  g_autofree char *capability = vend_capability_new (STREAM_PURPOSE, prediction->id);
  return capability != NULL ? g_strconcat (prediction->id, capability, NULL) : NULL;
}

char *
vend_stream_token_id (const char *token)
{
  if (strlen (token) != VEND_ID_LENGTH + VEND_CAPABILITY_LENGTH)
    return NULL;
  g_autofree char *id = g_strndup (token, VEND_ID_LENGTH);
  return vend_capability_fits (STREAM_PURPOSE, id, token + VEND_ID_LENGTH) ? g_steal_pointer (&id)
                                                                           : NULL;
}

/* Below /v1/files, since clients then make file objects of the events. */
static void
add_stream (json_t *object, const VendPrediction *prediction, const char *origin)
{
  g_autofree char *token = vend_prediction_stream_token (prediction);
  if (token == NULL)
    return;
  const char *place = prediction->stream & VEND_STREAM_FILES ? "files/stream-" : "streams/";
  g_autofree char *url = g_strconcat (origin, "/v1/", place, token, NULL);
  vend_json_set_string (object, "stream", url);
}

static json_t *
urls (const VendPrediction *prediction, const char *origin)
{
  const char *folder = prediction->kind == VEND_KIND_TRAINING ? "trainings" : "predictions";
  g_autofree char *get = g_strconcat (origin, "/v1/", folder, "/", prediction->id, NULL);
  g_autofree char *cancel = g_strconcat (get, "/cancel", NULL);
  g_autofree char *web = g_strconcat (origin, "/p/", prediction->id, NULL);
  json_t *object = json_object ();
  vend_json_set_string (object, "get", get);
  vend_json_set_string (object, "cancel", cancel);
  vend_json_set_string (object, "web", web);
  add_stream (object, prediction, origin);
  return object;
}

/* predict_time and total_time appear with the end, whatever metrics the model reported. */
static json_t *
shown_metrics (const VendPrediction *prediction)
{
  json_t *metrics = prediction->metrics != NULL ? json_copy (prediction->metrics) : json_object ();
  /* Of an example they are those of the run that was saved. */
  if (prediction->completed_us == 0 || prediction->kind == VEND_KIND_EXAMPLE)
    return metrics;
  double total_s = (double) (prediction->completed_us - prediction->created_us) / VEND_US_PER_S;
  json_object_set_new (metrics, "total_time", json_real (total_s));
  if (prediction->started_us > 0 && json_object_get (metrics, "predict_time") == NULL)
    json_object_set_new (
        metrics, "predict_time",
        json_real ((double) (prediction->completed_us - prediction->started_us) / VEND_US_PER_S));
  return metrics;
}

static json_t *
shown_queue (const VendPrediction *prediction)
{
  const double eta_s = (double) (prediction->queue_eta_us / (100 * VEND_US_PER_MS)) / 10;
  json_t *eta = prediction->queue_eta_us == VEND_ETA_UNKNOWN ? json_null () : json_real (eta_s);
  return json_pack ("{s:i, s:o}", "position", (int) prediction->queue_position, "eta_seconds", eta);
}

json_t *
vend_prediction_to_json (const VendPrediction *prediction, const char *origin, VendView view)
{
  bool started_only = view == VEND_VIEW_STARTED && !vend_status_is_terminal (prediction->status);
  VendStatus status = started_only ? VEND_STATUS_STARTING : prediction->status;
  json_t *object = json_object ();

  vend_json_set_string (object, "id", prediction->id);
  vend_json_set_string (object, "model", prediction->model);
  vend_json_set_string (object, "version", prediction->version);
  if (prediction->deployment != NULL)
    vend_json_set_string (object, "deployment", prediction->deployment);
  json_object_set_new (object, "input",
                       prediction->data_removed ? json_object ()
                                                : input_with_urls (prediction, origin));
  vend_json_set_string (object, "logs", prediction->logs);
  json_object_set_new (object, "output",
                       started_only ? json_null ()
                                    : vend_output_with_urls (prediction->output, origin));
  vend_json_set_bool (object, "data_removed", prediction->data_removed);
  vend_json_set_string (object, "error", prediction->error);
  if (prediction->error_code != NULL)
    vend_json_set_string (object, "error_code", prediction->error_code);
  vend_json_set_string (object, "source", prediction->from_web ? "web" : "api");
  vend_json_set_string (object, "status", vend_status_name (status));
  vend_json_set_time (object, "created_at", prediction->created_us);
  vend_json_set_time (object, "started_at", started_only ? 0 : prediction->started_us);
  vend_json_set_time (object, "completed_at", prediction->completed_us);
  if (prediction->deadline_us > 0)
    vend_json_set_time (object, "deadline", prediction->deadline_us);
  if (prediction->webhook != NULL)
    vend_json_set_string (object, "webhook", prediction->webhook);
  if (prediction->webhook_events != NULL)
    json_object_set (object, "webhook_events_filter", prediction->webhook_events);
  if (prediction->queue_position > 0 && status == VEND_STATUS_STARTING)
    json_object_set_new (object, "queue", shown_queue (prediction));
  json_object_set_new (object, "metrics", shown_metrics (prediction));
  json_object_set_new (object, "urls", urls (prediction, origin));
  return object;
}
