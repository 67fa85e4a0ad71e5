/* Requests for pictures, speech, transcripts and videos. */
#include "openai/media.h"
#include "json/schema.h"
#include <string.h>

#define MAX_SIDE 100000

static bool
is_there (const json_t *value)
{
  return value != NULL && !json_is_null (value);
}

/* The whole number of a value or of a form's text; 0 when it is none. */
static int64_t
whole_of (const json_t *value)
{
  gint64 number = 0;
  if (json_is_integer (value))
    return json_integer_value (value);
  if (json_is_string (value))
    (void) g_ascii_string_to_signed (json_string_value (value), 10, G_MININT64, G_MAXINT64, &number,
                                     NULL);
  return number;
}

static bool
take_prompt (VendOpenaiAsk *ask, const VendOpenaiModel *model, const json_t *body,
             VendOpenaiFault *fault)
{
  json_t *prompt = json_object_get (body, "prompt");
  if (!json_is_string (prompt))
    return vend_openai_refuse (fault, "prompt", "prompt: expected a text");
  ask->words = vend_openai_count_words (json_string_value (prompt));
  return vend_openai_ask_set (ask, model, "prompt", "prompt", prompt)
         || vend_openai_refuse (fault, "model", "this model takes no prompt");
}

/* ---- Sizes */

static int64_t
common_divisor (int64_t a, int64_t b)
{
  return b == 0 ? a : common_divisor (b, a % b);
}

/* "1024x768" by width and height, by one text, or by the ratio of its sides. */
static bool
take_size (VendOpenaiAsk *ask, const VendOpenaiModel *model, const json_t *value,
           VendOpenaiFault *fault)
{
  const char *text = json_string_value (value);
  gint64 width = 0, height = 0;
  if (!is_there (value) || g_strcmp0 (text, "auto") == 0)
    return true;
  g_auto (GStrv) sides = g_strsplit (text != NULL ? text : "", "x", 3);
  if (g_strv_length (sides) != 2
      || !g_ascii_string_to_signed (sides[0], 10, 1, MAX_SIDE, &width, NULL)
      || !g_ascii_string_to_signed (sides[1], 10, 1, MAX_SIDE, &height, NULL))
    return vend_openai_refuse (fault, "size", "size: expected WIDTHxHEIGHT, such as 1024x1024");
  if (vend_openai_input (model, "width", NULL) != NULL
      && vend_openai_input (model, "height", NULL) != NULL)
    {
      json_auto_t *w = json_integer (width);
      json_auto_t *h = json_integer (height);
      return vend_openai_ask_set (ask, model, "width", "size", w)
             && vend_openai_ask_set (ask, model, "height", "size", h);
    }
  if (vend_openai_ask_set (ask, model, "size", "size", (json_t *) value))
    return true;
  const int64_t divisor = common_divisor (width, height);
  json_auto_t *ratio
      = json_sprintf ("%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT, width / divisor, height / divisor);
  if (!vend_openai_ask_set (ask, model, "aspect_ratio", "size", ratio))
    vend_openai_ask_ignore (ask, "size");
  return true;
}

/* ---- Pictures */

static bool
take_number_of_pictures (VendOpenaiAsk *ask, const VendOpenaiModel *model, const json_t *value,
                         VendOpenaiFault *fault)
{
  if (!is_there (value))
    return true;
  const int64_t n = whole_of (value);
  if (n < 1)
    return vend_openai_refuse (fault, "n", "n: expected a whole number of at least 1");
  json_auto_t *number = json_integer (n);
  if (n == 1 || vend_openai_ask_set (ask, model, "pictures", "n", number))
    return true;
  return vend_openai_refuse (fault, "n", "n: this model makes one picture at a time");
}

/* One file or several, by what the model takes. */
static bool
take_files (VendOpenaiAsk *ask, const VendOpenaiModel *model, const char *field, const char *param,
            const json_t *value, VendOpenaiFault *fault)
{
  const json_t *schema = NULL;
  if (vend_openai_input (model, field, &schema) == NULL)
    return vend_openai_refuse (fault, param, "%s: this model has no input for it", param);
  json_auto_t *files
      = json_is_array (value) ? json_incref ((json_t *) value) : json_pack ("[O]", value);
  size_t i;
  json_t *file;
  json_array_foreach (files, i, file)
    if (!json_is_string (file))
      return vend_openai_refuse (fault, param, "%s: expected a file", param);
  if (vend_openai_takes_list (model, schema))
    return vend_openai_ask_set (ask, model, field, param, files);
  if (json_array_size (files) != 1)
    return vend_openai_refuse (fault, param, "%s: this model takes one file, got %zu", param,
                               json_array_size (files));
  return vend_openai_ask_set (ask, model, field, param, json_array_get (files, 0));
}

static bool
take_edited (VendOpenaiAsk *ask, const VendOpenaiModel *model, const json_t *body,
             VendOpenaiFault *fault)
{
  const json_t *image = json_object_get (body, "image");
  const json_t *mask = json_object_get (body, "mask");
  if (!is_there (image))
    return vend_openai_refuse (fault, "image", "image: expected a file");
  return take_files (ask, model, "image", "image", image, fault)
         && (!is_there (mask) || take_files (ask, model, "mask", "mask", mask, fault));
}

bool
vend_openai_read_images (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint,
                         const json_t *body, VendOpenaiAsk *ask, json_t **out_options,
                         VendOpenaiFault *fault)
{
  static const char *const own[]
      = { "model", "prompt", "n", "size", "response_format", "stream", "image", "mask", NULL };
  const json_t *format = json_object_get (body, "response_format");
  const char *word = json_string_value (format);
  vend_openai_ask_init (ask);
  if (is_there (format) && g_strcmp0 (word, "url") != 0 && g_strcmp0 (word, "b64_json") != 0)
    return vend_openai_refuse (fault, "response_format",
                               "response_format: expected url or b64_json");
  if (vend_json_bool (body, "stream", false))
    return vend_openai_refuse (fault, "stream", "stream: pictures are not streamed");
  if (!take_prompt (ask, model, body, fault)
      || !take_number_of_pictures (ask, model, json_object_get (body, "n"), fault)
      || !take_size (ask, model, json_object_get (body, "size"), fault)
      || (endpoint == VEND_OPENAI_EDITS && !take_edited (ask, model, body, fault)))
    return false;
  vend_openai_ask_others (ask, model, body, own);
  *out_options = json_object ();
  if (word != NULL)
    vend_json_set_string (*out_options, "format", word);
  return true;
}

/* ---- Speech */

/* Tools send one of these whatever the model is. */
static const char *const openai_voices[]
    = { "alloy", "ash",  "ballad",  "coral", "echo",  "fable", "nova",
        "onyx",  "sage", "shimmer", "verse", "marin", "cedar" };

static bool
is_openai_voice (const char *name)
{
  for (gsize i = 0; name != NULL && i < G_N_ELEMENTS (openai_voices); i++)
    if (strcmp (name, openai_voices[i]) == 0)
      return true;
  return false;
}

static bool
has_choice (const VendOpenaiModel *model, const json_t *schema, const json_t *value)
{
  const json_t *choices = json_object_get (vend_schema_resolve (model->openapi, schema), "enum");
  size_t i;
  json_t *choice;
  json_array_foreach ((json_t *) choices, i, choice)
    if (json_equal (choice, value))
      return true;
  return choices == NULL;
}

/* A voice of OpenAI's that the model does not have is that of the model. */
static void
take_voice (VendOpenaiAsk *ask, const VendOpenaiModel *model, json_t *value)
{
  const json_t *schema = NULL;
  const char *name = vend_openai_input (model, "voice", &schema);
  if (!is_there (value))
    return;
  if (name == NULL
      || (is_openai_voice (json_string_value (value)) && !has_choice (model, schema, value)))
    vend_openai_ask_ignore (ask, "voice");
  else
    (void) vend_openai_ask_set (ask, model, "voice", "voice", value);
}

static void
take_or_ignore (VendOpenaiAsk *ask, const VendOpenaiModel *model, const char *field,
                const char *param, json_t *value)
{
  if (is_there (value) && !vend_openai_ask_set (ask, model, field, param, value))
    vend_openai_ask_ignore (ask, param);
}

bool
vend_openai_read_speech (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                         VendOpenaiFault *fault)
{
  static const char *const own[]
      = { "model", "input", "voice", "speed", "response_format", "stream_format", NULL };
  json_t *text = json_object_get (body, "input");
  const char *stream = vend_json_string (body, "stream_format");
  vend_openai_ask_init (ask);
  if (!json_is_string (text))
    return vend_openai_refuse (fault, "input", "input: expected a text");
  if (stream != NULL && strcmp (stream, "audio") != 0)
    return vend_openai_refuse (fault, "stream_format", "stream_format: expected audio");
  if (!vend_openai_ask_set (ask, model, "text", "input", text))
    return vend_openai_refuse (fault, "model", "this model takes no text");
  ask->words = vend_openai_count_words (json_string_value (text));
  take_voice (ask, model, json_object_get (body, "voice"));
  take_or_ignore (ask, model, "speed", "speed", json_object_get (body, "speed"));
  take_or_ignore (ask, model, "output_format", "response_format",
                  json_object_get (body, "response_format"));
  vend_openai_ask_others (ask, model, body, own);
  return true;
}

/* ---- Transcripts */

static bool
is_format (const char *word)
{
  static const char *const formats[] = { "json", "text", "srt", "verbose_json", "vtt" };
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    if (strcmp (word, formats[i]) == 0)
      return true;
  return false;
}

/* A translation is a task of the model, or a switch. */
static bool
take_translation (VendOpenaiAsk *ask, const VendOpenaiModel *model, VendOpenaiFault *fault)
{
  json_auto_t *task = json_string ("translate");
  json_auto_t *yes = json_true ();
  return vend_openai_ask_set (ask, model, "task", "model", task)
         || vend_openai_ask_set (ask, model, "translate", "model", yes)
         || vend_openai_refuse (fault, "model", "this model does not translate");
}

bool
vend_openai_read_transcription (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint,
                                const json_t *body, VendOpenaiAsk *ask, json_t **out_options,
                                VendOpenaiFault *fault)
{
  static const char *const own[] = { "model",
                                     "file",
                                     "language",
                                     "prompt",
                                     "response_format",
                                     "temperature",
                                     "stream",
                                     "timestamp_granularities",
                                     NULL };
  const json_t *format = json_object_get (body, "response_format");
  const char *word = is_there (format) ? json_string_value (format) : "json";
  const json_t *file = json_object_get (body, "file");
  const bool is_translation = endpoint == VEND_OPENAI_TRANSLATIONS;
  vend_openai_ask_init (ask);
  if (word == NULL || !is_format (word))
    return vend_openai_refuse (fault, "response_format",
                               "response_format: expected json, text, srt, verbose_json or vtt");
  if (json_is_true (json_object_get (body, "stream"))
      || g_strcmp0 (vend_json_string (body, "stream"), "true") == 0)
    return vend_openai_refuse (fault, "stream", "stream: transcripts are not streamed");
  if (!is_there (file))
    return vend_openai_refuse (fault, "file", "file: expected a file");
  if (!take_files (ask, model, "audio", "file", file, fault)
      || (is_translation && !take_translation (ask, model, fault)))
    return false;
  take_or_ignore (ask, model, "language", "language", json_object_get (body, "language"));
  take_or_ignore (ask, model, "initial_prompt", "prompt", json_object_get (body, "prompt"));
  vend_openai_ask_others (ask, model, body, own);
  json_auto_t *warmth = vend_openai_number (json_object_get (body, "temperature"));
  take_or_ignore (ask, model, "temperature", "temperature", warmth);
  *out_options = json_pack ("{s:s, s:s}", "format", word, "task",
                            is_translation ? "translate" : "transcribe");
  return true;
}

/* ---- Videos */

bool
vend_openai_read_video (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                        json_t **out_options, VendOpenaiFault *fault)
{
  static const char *const own[]
      = { "model", "prompt", "seconds", "size", "input_reference", NULL };
  const json_t *seconds = json_object_get (body, "seconds");
  const json_t *size = json_object_get (body, "size");
  const json_t *reference = json_object_get (body, "input_reference");
  vend_openai_ask_init (ask);
  if (!take_prompt (ask, model, body, fault) || !take_size (ask, model, size, fault)
      || (is_there (reference)
          && !take_files (ask, model, "image", "input_reference", reference, fault)))
    return false;
  if (is_there (seconds))
    {
      json_auto_t *number = vend_openai_number (seconds);
      if (json_number_value (number) <= 0)
        return vend_openai_refuse (fault, "seconds", "seconds: expected a number above 0");
      take_or_ignore (ask, model, "seconds", "seconds", number);
    }
  vend_openai_ask_others (ask, model, body, own);
  *out_options = json_object ();
  return true;
}
