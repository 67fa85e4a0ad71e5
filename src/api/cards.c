/* What strangers are told of a page: models of the public catalogue, and shared predictions. */
#include "api/api-private.h"
#include "store/models.h"
#include "store/predictions.h"
#include "store/shares.h"
#include <string.h>

/* Tabs of a model's page have one more part. */
#define MAX_PARTS 8

static bool
card_of_model (VendApi *api, VendCall *call, const char *owner, const char *name, VendPageCard *out)
{
  g_autoptr (VendModel) model = NULL;
  if (!vend_settings_bool (api->parts.settings, "public-catalogue"))
    return false;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_model_by_name (reader.db, owner, name, &model, NULL) || model->is_private)
    return false;
  *out = (VendPageCard){
    .title = g_strdup_printf ("%s/%s", model->owner, model->name),
    .description = g_strdup (model->description),
    .image = vend_model_cover_url (model, vend_call_origin (call)),
  };
  return true;
}

static bool
is_picture (const char *url)
{
  static const char *const kinds[] = { ".png", ".jpg", ".jpeg", ".webp", ".gif" };
  g_autofree char *lower = g_ascii_strdown (url, -1);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_has_suffix (lower, kinds[i]))
      return true;
  return false;
}

/* The first picture, and text as far as the output is text. */
static void
describe_output (const json_t *output, const char *origin, VendPageCard *card, GString *text)
{
  const char *string = json_string_value (output);
  size_t i;
  json_t *item;
  if (json_is_array (output))
    json_array_foreach ((json_t *) output, i, item)
      describe_output (item, origin, card, text);
  else if (string == NULL)
    return;
  /* Only files of this server: another host would learn who was sent the link. */
  else if (g_str_has_prefix (string, origin))
    {
      if (card->image == NULL && is_picture (string))
        card->image = g_strdup (string);
    }
  else if (!g_str_has_prefix (string, "http") && !g_str_has_prefix (string, "data:"))
    g_string_append (text, string);
}

static bool
card_of_share (VendApi *api, VendCall *call, const char *token, VendPageCard *out)
{
  g_autoptr (VendShare) share = NULL;
  g_autoptr (VendPrediction) prediction = NULL;
  const char *origin = vend_call_origin (call);
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_share_by_token (reader.db, token, &share, NULL)
        || !vend_store_prediction_get (reader.db, share->prediction, &prediction, NULL))
      return false;
  }
  json_auto_t *output = vend_output_with_urls (prediction->output, origin);
  g_autoptr (GString) text = g_string_new (NULL);
  out->title = g_strdup_printf ("Prediction of %s", prediction->model);
  describe_output (output, origin, out, text);
  out->description = text->len > 0 ? g_strndup (text->str, text->len) : NULL;
  return true;
}

bool
vend_api_page_card (VendCall *call, VendPageCard *out, void *data)
{
  g_auto (GStrv) parts = g_strsplit (vend_call_path (call) + 1, "/", MAX_PARTS);
  const guint n = g_strv_length (parts);
  if (n < 2 || *parts[0] == '\0' || *parts[1] == '\0')
    return false;
  return strcmp (parts[0], "s") == 0 ? n == 2 && card_of_share (data, call, parts[1], out)
                                     : card_of_model (data, call, parts[0], parts[1], out);
}
