/* Embeddings: clients ask for base64 of little-endian floats by default, and some cannot read
 * anything but what they asked for. */
#include "openai/embeddings.h"
#include <string.h>

#define MAX_TEXTS 2048
/* Of a model that takes one: each is a run. */
#define MAX_RUNS 64

/* ---- The request */

static bool
is_list_of_texts (const json_t *value)
{
  size_t i;
  json_t *one;
  if (!json_is_array (value) || json_array_size (value) == 0)
    return false;
  json_array_foreach ((json_t *) value, i, one)
    if (!json_is_string (one))
      return false;
  return true;
}

static bool
check_texts (const json_t *texts, VendOpenaiFault *fault)
{
  if (json_is_string (texts))
    return true;
  if (!is_list_of_texts (texts))
    return vend_openai_refuse (fault, "input",
                               "input: expected a text or a list of texts; lists of tokens are not "
                               "supported");
  return json_array_size (texts) <= MAX_TEXTS
         || vend_openai_refuse (fault, "input", "input: at most %d texts, got %zu", MAX_TEXTS,
                                json_array_size (texts));
}

/* A list, one text, or a text of JSON: some models take several so. Others take them in turn: the
 * input has the first. */
static bool
take_texts (VendOpenaiAsk *ask, const VendOpenaiModel *model, const json_t *texts,
            bool *out_in_turn, VendOpenaiFault *fault)
{
  const json_t *schema = NULL;
  const char *name = vend_openai_input (model, "texts", &schema);
  const json_t *first = json_is_string (texts) ? texts : json_array_get (texts, 0);
  json_auto_t *value = NULL;
  if (name == NULL)
    return vend_openai_refuse (fault, "model", "this model takes no texts");
  if (vend_openai_takes_list (model, schema))
    value = json_is_string (texts) ? json_pack ("[O]", texts) : json_incref ((json_t *) texts);
  else if (strcmp (name, "texts") == 0)
    {
      json_auto_t *list
          = json_is_string (texts) ? json_pack ("[O]", texts) : json_incref ((json_t *) texts);
      g_autofree char *text = vend_json_text (list);
      value = json_string (text);
    }
  else if (json_is_array (texts) && json_array_size (texts) > MAX_RUNS)
    return vend_openai_refuse (fault, "input",
                               "input: this model takes one text at a time; at most %d, got %zu",
                               MAX_RUNS, json_array_size (texts));
  else
    {
      value = json_incref ((json_t *) first);
      *out_in_turn = json_is_array (texts) && json_array_size (texts) > 1;
    }
  return vend_openai_ask_set (ask, model, "texts", "input", value);
}

static void
count_words (VendOpenaiAsk *ask, const json_t *texts)
{
  size_t i;
  json_t *one;
  if (json_is_string (texts))
    ask->words += vend_openai_count_words (json_string_value (texts));
  json_array_foreach ((json_t *) texts, i, one)
    ask->words += vend_openai_count_words (json_string_value (one));
}

bool
vend_openai_read_embeddings (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                             json_t **out_options, VendOpenaiFault *fault)
{
  static const char *const own[] = { "model", "input", "encoding_format", "dimensions", NULL };
  const json_t *texts = json_object_get (body, "input");
  const json_t *format = json_object_get (body, "encoding_format");
  const json_t *dimensions = json_object_get (body, "dimensions");
  const char *word = json_string_value (format);
  const bool is_base64 = g_strcmp0 (word, "base64") == 0;
  bool in_turn = false;
  vend_openai_ask_init (ask);
  if (format != NULL && !json_is_null (format) && !is_base64 && g_strcmp0 (word, "float") != 0)
    return vend_openai_refuse (fault, "encoding_format",
                               "encoding_format: expected float or base64");
  if (!check_texts (texts, fault) || !take_texts (ask, model, texts, &in_turn, fault))
    return false;
  if (dimensions != NULL && !json_is_null (dimensions)
      && !vend_openai_ask_set (ask, model, "dimensions", "dimensions", (json_t *) dimensions))
    return vend_openai_refuse (fault, "dimensions", "dimensions: this model has no input for it");
  count_words (ask, texts);
  vend_openai_ask_others (ask, model, body, own);
  const int n = json_is_string (texts) ? 1 : (int) json_array_size (texts);
  *out_options = json_pack ("{s:b, s:i}", "base64", is_base64, "n", n);
  if (in_turn)
    json_object_set (*out_options, "texts", (json_t *) texts);
  return true;
}

/* ---- The reply */

static bool
is_vector (const json_t *value)
{
  return json_is_array (value) && json_array_size (value) > 0
         && json_is_number (json_array_get (value, 0));
}

/* NULL when it is no list of numbers. */
static json_t *
vector_of (const json_t *numbers, bool as_base64)
{
  const size_t n = json_array_size (numbers);
  g_autofree uint8_t *bytes = g_malloc (n * 4 + 1);
  size_t i;
  json_t *number;
  if (!is_vector (numbers))
    return NULL;
  json_array_foreach ((json_t *) numbers, i, number)
    {
      if (!json_is_number (number))
        return NULL;
      const float value = (float) json_number_value (number);
      uint32_t bits = 0;
      memcpy (&bits, &value, sizeof bits);
      bits = GUINT32_TO_LE (bits);
      memcpy (bytes + 4 * i, &bits, sizeof bits);
    }
  if (!as_base64)
    return json_incref ((json_t *) numbers);
  g_autofree char *text = g_base64_encode (bytes, n * 4);
  return json_string (text);
}

static json_t *
usage_of (const json_t *metrics, uint64_t words)
{
  const int64_t counted
      = vend_json_int (metrics, "input_token_count", vend_json_int (metrics, "token_count", -1));
  const int64_t n = counted >= 0 ? counted : (int64_t) ((words * 13 + 9) / 10);
  json_t *usage = json_object ();
  vend_json_set_int (usage, "prompt_tokens", n);
  vend_json_set_int (usage, "total_tokens", n);
  if (counted < 0)
    vend_json_set_bool (usage, "vend_estimated", true);
  return usage;
}

/* One vector alone, vectors in a list, or in a list of lists of one. */
static const json_t *
vector_at (const json_t *output, size_t i)
{
  if (is_vector (output))
    return i == 0 ? output : NULL;
  return json_array_get (output, i);
}

json_t *
vend_openai_embeddings (const json_t *output, const json_t *metrics, const json_t *options,
                        const char *model, uint64_t words, char **out_problem)
{
  const bool as_base64 = vend_json_bool (options, "base64", false);
  const size_t n = (size_t) vend_json_int (options, "n", 1);
  const size_t given = is_vector (output) ? 1 : json_array_size (output);
  json_auto_t *data = json_array ();
  if (given != n)
    {
      *out_problem = g_strdup_printf ("the model gave %zu vectors for %zu texts", given, n);
      return NULL;
    }
  for (size_t i = 0; i < n; i++)
    {
      json_t *vector = vector_of (vector_at (output, i), as_base64);
      if (vector == NULL)
        {
          *out_problem = g_strdup_printf ("output %zu of the model is no list of numbers", i);
          return NULL;
        }
      json_array_append_new (data, json_pack ("{s:s, s:i, s:o}", "object", "embedding", "index",
                                              (int) i, "embedding", vector));
    }
  json_t *reply = json_pack ("{s:s, s:O}", "object", "list", "data", data);
  vend_json_set_string (reply, "model", model);
  json_object_set_new (reply, "usage", usage_of (metrics, words));
  return reply;
}
