/* Which of OpenAI's endpoints a model fits: its inputs by their names, its output by its schema. */
#include "openai/fit.h"
#include "json/schema.h"
#include <string.h>

#define MAX_NAMES 8

typedef struct
{
  const char *field;
  const char *names[MAX_NAMES]; /* of inputs, the best first */
} Field;

static const Field fields[] = {
  { "messages", { "messages" } },
  { "prompt", { "prompt" } },
  { "system", { "system_prompt", "system", "system_message" } },
  { "max_tokens", { "max_tokens", "max_new_tokens", "max_length", "max_output_tokens" } },
  { "temperature", { "temperature" } },
  { "top_p", { "top_p" } },
  { "top_k", { "top_k" } },
  { "seed", { "seed" } },
  { "stop", { "stop", "stop_sequences" } },
  { "presence_penalty", { "presence_penalty" } },
  { "frequency_penalty", { "frequency_penalty" } },
  { "tools", { "tools" } },
  { "tool_choice", { "tool_choice" } },
  { "response_format", { "response_format" } },
  { "suffix", { "suffix" } },
  { "n", { "n" } },
  { "pictures", { "num_outputs", "num_images", "n", "count", "batch_size" } },
  { "image", { "image", "images", "input_image", "input_images", "image_input" } },
  { "input_audio", { "audio", "audio_file" } },
  { "texts", { "texts", "text", "input", "inputs", "sentences", "prompt" } },
  { "dimensions", { "dimensions" } },
  { "negative_prompt", { "negative_prompt" } },
  { "width", { "width" } },
  { "height", { "height" } },
  { "size", { "size" } },
  { "aspect_ratio", { "aspect_ratio" } },
  { "mask", { "mask", "mask_image" } },
  { "output_format", { "output_format", "format" } },
  { "quality", { "quality" } },
  { "text", { "text", "input", "prompt" } },
  { "voice", { "voice", "speaker", "voice_id" } },
  { "speed", { "speed" } },
  { "audio", { "audio", "audio_file", "file", "audio_path", "audio_input" } },
  { "language", { "language" } },
  { "task", { "task" } },
  { "translate", { "translate" } },
  { "initial_prompt", { "initial_prompt", "prompt" } },
  { "seconds", { "seconds", "duration", "video_length" } },
  { "frames", { "num_frames", "frames", "fps" } },
};

static const char *const endpoint_names[VEND_OPENAI_N_ENDPOINTS] = {
  [VEND_OPENAI_CHAT] = "chat.completions",
  [VEND_OPENAI_COMPLETIONS] = "completions",
  [VEND_OPENAI_RESPONSES] = "responses",
  [VEND_OPENAI_EMBEDDINGS] = "embeddings",
  [VEND_OPENAI_IMAGES] = "images.generations",
  [VEND_OPENAI_EDITS] = "images.edits",
  [VEND_OPENAI_SPEECH] = "audio.speech",
  [VEND_OPENAI_TRANSCRIPTIONS] = "audio.transcriptions",
  [VEND_OPENAI_TRANSLATIONS] = "audio.translations",
  [VEND_OPENAI_VIDEOS] = "videos",
};

const char *
vend_openai_endpoint_name (VendOpenaiEndpoint endpoint)
{
  return endpoint_names[endpoint];
}

bool
vend_openai_endpoint_parse (const char *name, VendOpenaiEndpoint *out)
{
  for (guint i = 0; i < VEND_OPENAI_N_ENDPOINTS; i++)
    if (strcmp (name, endpoint_names[i]) == 0)
      {
        *out = (VendOpenaiEndpoint) i;
        return true;
      }
  return false;
}

static const Field *
find_field (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    if (strcmp (fields[i].field, name) == 0)
      return &fields[i];
  return NULL;
}

bool
vend_openai_has_field (const char *field)
{
  return find_field (field) != NULL;
}

/* ---- Inputs */

const char *
vend_openai_input (const VendOpenaiModel *model, const char *field, const json_t **out_schema)
{
  const json_t *properties = vend_schema_properties (model->openapi, "Input");
  const char *stated = vend_json_string (json_object_get (model->mapping, "inputs"), field);
  const Field *known = find_field (field);
  const char *found
      = stated != NULL && json_object_get (properties, stated) != NULL ? stated : NULL;
  for (gsize i = 0; found == NULL && stated == NULL && known != NULL && i < MAX_NAMES; i++)
    if (known->names[i] != NULL && json_object_get (properties, known->names[i]) != NULL)
      found = known->names[i];
  if (found != NULL && out_schema != NULL)
    *out_schema = json_object_get (properties, found);
  return found;
}

typedef bool (*SchemaTest) (const json_t *schema);

/* Whether the schema, or any of its alternatives, is such a one. */
static bool
any_is (const json_t *openapi, const json_t *schema, SchemaTest test)
{
  if (schema == NULL)
    return false;
  const json_t *own = vend_schema_resolve (openapi, schema);
  size_t i;
  json_t *one;
  if (test (own))
    return true;
  json_array_foreach (json_object_get (own, "anyOf"), i, one)
    if (test (vend_schema_resolve (openapi, one)))
      return true;
  return false;
}

static bool
has_type (const json_t *schema, const char *type)
{
  return g_strcmp0 (vend_json_string (schema, "type"), type) == 0;
}

static bool
is_file (const json_t *schema)
{
  return g_strcmp0 (vend_json_string (schema, "format"), "uri") == 0;
}

static bool
is_text (const json_t *schema)
{
  return has_type (schema, "string") && !is_file (schema);
}

static bool
is_list (const json_t *schema)
{
  return has_type (schema, "array");
}

static bool
is_number (const json_t *schema)
{
  return has_type (schema, "number");
}

static bool
is_anything (const json_t *schema)
{
  return (has_type (schema, "object") && json_object_get (schema, "properties") == NULL)
         || (json_object_get (schema, "type") == NULL && json_object_get (schema, "anyOf") == NULL);
}

static const json_t *
items_of (const json_t *openapi, const json_t *schema)
{
  const json_t *own = schema != NULL ? vend_schema_resolve (openapi, schema) : NULL;
  const json_t *items = json_object_get (own, "items");
  size_t i;
  json_t *one;
  json_array_foreach (json_object_get (own, "anyOf"), i, one)
    if (items == NULL)
      items = json_object_get (vend_schema_resolve (openapi, one), "items");
  return items;
}

bool
vend_openai_takes_file (const VendOpenaiModel *model, const json_t *schema)
{
  return any_is (model->openapi, schema, is_file)
         || any_is (model->openapi, items_of (model->openapi, schema), is_file);
}

bool
vend_openai_takes_list (const VendOpenaiModel *model, const json_t *schema)
{
  return any_is (model->openapi, schema, is_list);
}

bool
vend_openai_takes_text (const VendOpenaiModel *model, const json_t *schema)
{
  return any_is (model->openapi, schema, is_text);
}

/* ---- Outputs */

static const json_t *
output_of (const VendOpenaiModel *model)
{
  return vend_schema_component (model->openapi, "Output");
}

static bool
has_member (const VendOpenaiModel *model, const char *member)
{
  const json_t *output = output_of (model);
  if (output == NULL)
    return false;
  const json_t *own = vend_schema_resolve (model->openapi, output);
  return json_object_get (json_object_get (own, "properties"), member) != NULL;
}

static bool
gives_text (const VendOpenaiModel *model)
{
  const json_t *output = output_of (model);
  const json_t *own = output != NULL ? vend_schema_resolve (model->openapi, output) : NULL;
  if (g_strcmp0 (vend_json_string (own, "x-cog-array-type"), "iterator") == 0)
    {
      const json_t *items = items_of (model->openapi, own);
      return any_is (model->openapi, items, is_text) || any_is (model->openapi, items, is_anything);
    }
  return any_is (model->openapi, output, is_text);
}

static bool
gives_choices (const VendOpenaiModel *model)
{
  return has_member (model, "choices")
         || (vend_openai_input (model, "messages", NULL) != NULL
             && any_is (model->openapi, output_of (model), is_anything));
}

static bool
gives_files (const VendOpenaiModel *model)
{
  return vend_openai_takes_file (model, output_of (model));
}

static bool
gives_vectors (const VendOpenaiModel *model)
{
  const json_t *items = items_of (model->openapi, output_of (model));
  return any_is (model->openapi, items, is_number)
         || any_is (model->openapi, items_of (model->openapi, items), is_number);
}

/* ---- The endpoints */

static bool
has_text_input (const VendOpenaiModel *model, const char *field)
{
  const json_t *schema = NULL;
  return vend_openai_input (model, field, &schema) != NULL
         && vend_openai_takes_text (model, schema);
}

static bool
has_file_input (const VendOpenaiModel *model, const char *field)
{
  const json_t *schema = NULL;
  return vend_openai_input (model, field, &schema) != NULL
         && vend_openai_takes_file (model, schema);
}

static bool
makes_videos (const VendOpenaiModel *model)
{
  return vend_openai_input (model, "seconds", NULL) != NULL
         || vend_openai_input (model, "frames", NULL) != NULL;
}

/* Both name the input of the text that is spoken; a picture has a prompt alone. */
static bool
speaks (const VendOpenaiModel *model)
{
  const char *text = vend_openai_input (model, "text", NULL);
  return has_text_input (model, "text")
         && (g_strcmp0 (text, "prompt") != 0 || vend_openai_input (model, "voice", NULL) != NULL);
}

static const char *
misfit_of_text (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint)
{
  const bool takes_prompt = has_text_input (model, "prompt");
  const bool takes_messages
      = endpoint != VEND_OPENAI_COMPLETIONS && vend_openai_input (model, "messages", NULL) != NULL;
  if (!takes_prompt && !takes_messages)
    return endpoint == VEND_OPENAI_COMPLETIONS ? "there is no text input 'prompt'"
                                               : "there is no input 'messages' or 'prompt'";
  if (!gives_text (model) && !gives_choices (model))
    return "the output is no text, and no object with 'choices'";
  return NULL;
}

static const char *
misfit_of_pictures (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint)
{
  if (!has_text_input (model, "prompt"))
    return "there is no text input 'prompt'";
  if (!gives_files (model))
    return "the output is no file";
  if (endpoint == VEND_OPENAI_VIDEOS)
    return makes_videos (model) ? NULL : "no input tells the length of a video";
  if (makes_videos (model))
    return "its inputs are those of videos";
  if (endpoint == VEND_OPENAI_IMAGES)
    return vend_openai_input (model, "voice", NULL) != NULL ? "its inputs are those of speech"
                                                            : NULL;
  return has_file_input (model, "image") ? NULL : "there is no file input 'image'";
}

static const char *
misfit_of_speech (const VendOpenaiModel *model)
{
  if (!speaks (model))
    return "there is no text input 'text' or 'input'";
  if (!gives_files (model))
    return "the output is no file";
  return makes_videos (model) ? "its inputs are those of videos" : NULL;
}

static const char *
misfit_of_transcriptions (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint)
{
  if (!has_file_input (model, "audio"))
    return "there is no file input 'audio'";
  if (!gives_text (model) && !has_member (model, "text") && !has_member (model, "transcription"))
    return "the output is no text, and no object with 'text'";
  if (endpoint == VEND_OPENAI_TRANSLATIONS && vend_openai_input (model, "task", NULL) == NULL
      && vend_openai_input (model, "translate", NULL) == NULL)
    return "there is no input 'task' or 'translate'";
  return NULL;
}

static const char *
misfit_of_embeddings (const VendOpenaiModel *model)
{
  const json_t *schema = NULL;
  if (vend_openai_input (model, "texts", &schema) == NULL
      || (!vend_openai_takes_text (model, schema) && !vend_openai_takes_list (model, schema)))
    return "there is no input 'texts', 'text' or 'input'";
  return gives_vectors (model) ? NULL : "the output is no list of numbers, and no list of such";
}

static bool
is_stated (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint)
{
  const json_t *stated = json_object_get (model->mapping, "endpoints");
  size_t i;
  json_t *name;
  json_array_foreach ((json_t *) stated, i, name)
    if (g_strcmp0 (json_string_value (name), endpoint_names[endpoint]) == 0)
      return true;
  return stated == NULL;
}

char *
vend_openai_misfit (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint)
{
  const char *why = NULL;
  if (!is_stated (model, endpoint))
    return g_strdup ("its owner does not offer it");
  switch (endpoint)
    {
    case VEND_OPENAI_CHAT:
    case VEND_OPENAI_COMPLETIONS:
    case VEND_OPENAI_RESPONSES:
      why = misfit_of_text (model, endpoint);
      break;
    case VEND_OPENAI_EMBEDDINGS:
      why = misfit_of_embeddings (model);
      break;
    case VEND_OPENAI_SPEECH:
      why = misfit_of_speech (model);
      break;
    case VEND_OPENAI_TRANSCRIPTIONS:
    case VEND_OPENAI_TRANSLATIONS:
      why = misfit_of_transcriptions (model, endpoint);
      break;
    case VEND_OPENAI_IMAGES:
    case VEND_OPENAI_EDITS:
    case VEND_OPENAI_VIDEOS:
    case VEND_OPENAI_N_ENDPOINTS:
    default:
      why = misfit_of_pictures (model, endpoint);
      break;
    }
  return g_strdup (why);
}

bool
vend_openai_fits_any (const VendOpenaiModel *model)
{
  for (guint i = 0; i < VEND_OPENAI_N_ENDPOINTS; i++)
    {
      g_autofree char *why = vend_openai_misfit (model, (VendOpenaiEndpoint) i);
      if (why == NULL)
        return true;
    }
  return false;
}

json_t *
vend_openai_describe (const VendOpenaiModel *model)
{
  json_t *endpoints = json_array ();
  json_t *others = json_object ();
  for (guint i = 0; i < VEND_OPENAI_N_ENDPOINTS; i++)
    {
      g_autofree char *why = vend_openai_misfit (model, (VendOpenaiEndpoint) i);
      if (why == NULL)
        json_array_append_new (endpoints, json_string (endpoint_names[i]));
      else
        json_object_set_new (others, endpoint_names[i], json_string (why));
    }
  return json_pack ("{s:o, s:o}", "endpoints", endpoints, "others", others);
}
