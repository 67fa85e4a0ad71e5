/* Messages of a conversation: whole for models that take them, else joined to one prompt. */
#include "openai/messages.h"
#include "openai/mapping.h"
#include <string.h>

#define MAX_MESSAGES 10000

typedef struct
{
  VendOpenaiAsk *ask;
  const VendOpenaiModel *model;
  const char *param;
  GString *system; /* what goes into the input for it */
  GString *prompt;
  json_t *images;
  json_t *sounds;
  VendOpenaiFault *fault;
} Joining;

static bool
is_system (const char *role)
{
  return strcmp (role, "system") == 0 || strcmp (role, "developer") == 0;
}

/* ---- Parts of a content */

static bool
take_image (Joining *joining, const json_t *part)
{
  const json_t *image = json_object_get (part, "image_url");
  const json_t *url = json_is_object (image) ? json_object_get (image, "url") : image;
  if (!json_is_string (url))
    return vend_openai_refuse (joining->fault, joining->param, "%s: an image part has no URL",
                               joining->param);
  json_array_append (joining->images, (json_t *) url);
  return true;
}

/* As the file that it is. */
static bool
take_sound (Joining *joining, const json_t *part)
{
  const json_t *sound = json_object_get (part, "input_audio");
  const char *data = vend_json_string (sound, "data");
  const char *format = vend_json_string (sound, "format");
  const bool is_mp3 = g_strcmp0 (format, "mp3") == 0;
  if (data == NULL || (!is_mp3 && g_strcmp0 (format, "wav") != 0))
    return vend_openai_refuse (joining->fault, joining->param,
                               "%s: an input_audio part has 'data' in base64 and the 'format' wav "
                               "or mp3",
                               joining->param);
  json_array_append_new (joining->sounds,
                         json_sprintf ("data:audio/%s;base64,%s", is_mp3 ? "mpeg" : "wav", data));
  return true;
}

/* The kinds of both chat completions and responses. */
static bool
take_part (Joining *joining, const json_t *part, GString *text)
{
  const char *type = vend_json_string (part, "type");
  const char *own = vend_json_string (part, "text");
  const bool is_text = type == NULL || strcmp (type, "text") == 0
                       || strcmp (type, "input_text") == 0 || strcmp (type, "output_text") == 0;
  if (is_text && own != NULL)
    {
      g_string_append (text, own);
      return true;
    }
  if (type != NULL && (strcmp (type, "image_url") == 0 || strcmp (type, "input_image") == 0))
    return take_image (joining, part);
  if (g_strcmp0 (type, "input_audio") == 0)
    return take_sound (joining, part);
  if (g_strcmp0 (type, "refusal") == 0)
    return true;
  return vend_openai_refuse (joining->fault, joining->param,
                             "%s: expected parts of the types text, image_url and input_audio",
                             joining->param);
}

/* A text, an array of parts, or nothing (a message that only calls tools). */
static bool
read_content (Joining *joining, const json_t *content, GString *text)
{
  size_t i;
  json_t *part;
  if (json_is_string (content))
    {
      g_string_append (text, json_string_value (content));
      return true;
    }
  if (content == NULL || json_is_null (content))
    return true;
  if (!json_is_array (content))
    return vend_openai_refuse (joining->fault, joining->param,
                               "%s: 'content' is a string or an array of parts", joining->param);
  json_array_foreach ((json_t *) content, i, part)
    if (!take_part (joining, part, text))
      return false;
  return true;
}

/* ---- One prompt */

static bool
check (const json_t *messages, const char *param, VendOpenaiFault *fault)
{
  size_t i;
  json_t *message;
  if (!json_is_array (messages) || json_array_size (messages) == 0
      || json_array_size (messages) > MAX_MESSAGES)
    return vend_openai_refuse (fault, param, "%s: expected an array of 1 to %d messages", param,
                               MAX_MESSAGES);
  json_array_foreach ((json_t *) messages, i, message)
    if (vend_json_string (message, "role") == NULL)
      return vend_openai_refuse (fault, param, "%s[%zu]: expected an object with a 'role'", param,
                                 i);
  return true;
}

static void
add_system (Joining *joining, const char *text)
{
  g_string_append_printf (joining->system, "%s%s", joining->system->len > 0 ? "\n\n" : "", text);
}

/* What users write is not looked at: it may contain what the template marks roles with. */
static bool
fill (Joining *joining, const json_t *template, const json_t *messages)
{
  const bool has_input = vend_openai_input (joining->model, "system", NULL) != NULL;
  size_t i;
  json_t *message;
  json_array_foreach ((json_t *) messages, i, message)
    {
      const char *given = vend_json_string (message, "role");
      const char *role = is_system (given) ? "system" : given;
      g_autoptr (GString) text = g_string_new (NULL);
      if (!read_content (joining, json_object_get (message, "content"), text))
        return false;
      joining->ask->words += vend_openai_count_words (text->str);
      if (vend_openai_template_append (template, role, text->str, joining->prompt))
        continue;
      if (!has_input || !is_system (given))
        return vend_openai_refuse (joining->fault, joining->param,
                                   "%s[%zu]: this model takes no messages of the role '%.32s'",
                                   joining->param, i, given);
      add_system (joining, text->str);
    }
  (void) vend_openai_template_append (template, "answer", "", joining->prompt);
  return true;
}

/* One question alone is the prompt itself; of more, each is a line with its role, and the last line
 * is for the model to go on with. */
static bool
join (Joining *joining, const json_t *messages)
{
  const bool has_system = vend_openai_input (joining->model, "system", NULL) != NULL;
  guint n_lines = 0;
  g_autoptr (GString) alone = g_string_new (NULL);
  bool is_question = true;
  size_t i;
  json_t *message;
  json_array_foreach ((json_t *) messages, i, message)
    {
      const char *role = vend_json_string (message, "role");
      g_autoptr (GString) text = g_string_new (NULL);
      if (!read_content (joining, json_object_get (message, "content"), text))
        return false;
      joining->ask->words += vend_openai_count_words (text->str);
      if (has_system && is_system (role))
        {
          add_system (joining, text->str);
          continue;
        }
      n_lines++;
      is_question = strcmp (role, "user") == 0;
      g_string_assign (alone, text->str);
      g_string_append_printf (joining->prompt, "%s: %s\n", is_system (role) ? "system" : role,
                              text->str);
    }
  if (n_lines == 1 && is_question)
    g_string_assign (joining->prompt, alone->str);
  else
    g_string_append (joining->prompt, "assistant:");
  return true;
}

/* ---- Files */

static bool
set_files (Joining *joining, const char *field, const char *what, json_t *files)
{
  const json_t *schema = NULL;
  const gsize n = json_array_size (files);
  if (n == 0)
    return true;
  if (vend_openai_input (joining->model, field, &schema) == NULL
      || !vend_openai_takes_file (joining->model, schema))
    return vend_openai_refuse (joining->fault, joining->param, "%s: this model takes no %s",
                               joining->param, what);
  if (vend_openai_takes_list (joining->model, schema))
    return vend_openai_ask_set (joining->ask, joining->model, field, joining->param, files);
  if (n > 1)
    return vend_openai_refuse (joining->fault, joining->param,
                               "%s: this model takes one %s, got %zu", joining->param, what, n);
  return vend_openai_ask_set (joining->ask, joining->model, field, joining->param,
                              json_array_get (files, 0));
}

static bool
take_prompt (Joining *joining, const json_t *messages)
{
  const json_t *template = vend_openai_mapping_template (joining->model->mapping);
  if (template != NULL ? !fill (joining, template, messages) : !join (joining, messages))
    return false;
  json_auto_t *prompt = vend_json_string_new (joining->prompt->str, joining->prompt->len);
  if (!vend_openai_ask_set (joining->ask, joining->model, "prompt", joining->param, prompt))
    return vend_openai_refuse (joining->fault, "model", "this model takes no messages");
  if (joining->system->len > 0)
    {
      json_auto_t *system = vend_json_string_new (joining->system->str, joining->system->len);
      (void) vend_openai_ask_set (joining->ask, joining->model, "system", joining->param, system);
    }
  return set_files (joining, "image", "image", joining->images)
         && set_files (joining, "input_audio", "sound", joining->sounds);
}

/* Into an array, or into a text of one: models of the Replicate API have both. */
static bool
take_whole (VendOpenaiAsk *ask, const VendOpenaiModel *model, const json_t *schema,
            const json_t *messages, const char *param)
{
  json_auto_t *value = json_incref ((json_t *) messages);
  g_autofree char *text = vend_json_text (messages);
  ask->words += vend_openai_count_words (text);
  if (!vend_openai_takes_list (model, schema) && vend_openai_takes_text (model, schema))
    {
      json_decref (value);
      value = vend_json_string_new (text, strlen (text));
    }
  return vend_openai_ask_set (ask, model, "messages", param, value);
}

bool
vend_openai_take_messages (VendOpenaiAsk *ask, const VendOpenaiModel *model, const json_t *messages,
                           const char *param, VendOpenaiFault *fault)
{
  const json_t *schema = NULL;
  if (!check (messages, param, fault))
    return false;
  if (vend_openai_input (model, "messages", &schema) != NULL)
    return take_whole (ask, model, schema, messages, param);
  g_autoptr (GString) system = g_string_new (NULL);
  g_autoptr (GString) prompt = g_string_new (NULL);
  json_auto_t *images = json_array ();
  json_auto_t *sounds = json_array ();
  Joining joining = { ask, model, param, system, prompt, images, sounds, fault };
  return take_prompt (&joining, messages);
}
