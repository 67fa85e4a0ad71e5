/* Requests for text: chat completions, completions and responses. */
#include "openai/messages.h"
#include "json/schema.h"
#include "openai/mapping.h"
#include "openai/request.h"
#include "openai/stop.h"
#include <string.h>

/* Fields whose values go to an input as they are, and may be ignored. */
static const char *const plain[]
    = { "temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty" };

/* Fields that change what an answer means. */
typedef struct
{
  const char *name;
  bool (*is_idle) (const json_t *value); /* such a value asks for nothing */
} Meaning;

static bool
is_empty (const json_t *value)
{
  return (json_is_array (value) && json_array_size (value) == 0)
         || (json_is_object (value) && json_object_size (value) == 0)
         || (json_is_string (value) && json_string_length (value) == 0) || json_is_false (value);
}

static bool
is_one (const json_t *value)
{
  return json_is_integer (value) && json_integer_value (value) == 1;
}

static bool
is_zero (const json_t *value)
{
  return json_is_integer (value) && json_integer_value (value) == 0;
}

/* Without tools it says nothing; those are looked at on their own. */
static bool
is_no_choice (const json_t *value)
{
  const char *text = json_string_value (value);
  return text != NULL && (strcmp (text, "auto") == 0 || strcmp (text, "none") == 0);
}

static bool
is_plain_text (const json_t *value)
{
  const json_t *format = json_object_get (value, "format");
  const char *type = vend_json_string (format != NULL ? format : value, "type");
  return json_is_object (value) && (type == NULL || strcmp (type, "text") == 0);
}

static bool
is_text_alone (const json_t *value)
{
  return json_is_array (value) && json_array_size (value) == 1
         && g_strcmp0 (json_string_value (json_array_get (value, 0)), "text") == 0;
}

static const Meaning meanings[] = {
  { "tools", is_empty },
  { "functions", is_empty },
  { "tool_choice", is_no_choice },
  { "function_call", is_no_choice },
  { "response_format", is_plain_text },
  { "text", is_plain_text },
  { "n", is_one },
  { "best_of", is_one },
  { "logprobs", is_empty },
  { "top_logprobs", is_zero },
  { "logit_bias", is_empty },
  { "stop", is_empty },
  { "suffix", is_empty },
  { "echo", is_empty },
  { "modalities", is_text_alone },
  { "audio", is_empty },
  { "web_search_options", is_empty },
  { "previous_response_id", is_empty },
  { "conversation", is_empty },
  { "background", is_empty },
  { "prompt_cache_options", is_empty },
};

bool
vend_openai_has_meaning (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (meanings); i++)
    if (strcmp (meanings[i].name, name) == 0)
      return true;
  return false;
}

static const Meaning *
find_meaning (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (meanings); i++)
    if (strcmp (meanings[i].name, name) == 0)
      return &meanings[i];
  return NULL;
}

/* ---- One field */

/* A list where the model has one; a text joined by commas is how models of the Replicate API take
 * several. */
static json_t *
stop_value (const VendOpenaiModel *model, const json_t *schema, const json_t *value)
{
  const bool is_list = vend_openai_takes_list (model, schema);
  if (is_list && json_is_string (value))
    return json_pack ("[O]", value);
  if (is_list || !json_is_array (value))
    return json_incref ((json_t *) value);
  g_autoptr (GString) joined = g_string_new (NULL);
  size_t i;
  json_t *one;
  json_array_foreach ((json_t *) value, i, one)
    if (json_is_string (one))
      g_string_append_printf (joined, "%s%s", joined->len > 0 ? "," : "", json_string_value (one));
  return vend_json_string_new (joined->str, joined->len);
}

static bool
take_meaning (VendOpenaiAsk *ask, const VendOpenaiModel *model, const char *name,
              const json_t *value, VendOpenaiFault *fault)
{
  const json_t *schema = NULL;
  /* `text` of a response is its format, and no input. */
  const bool is_input
      = strcmp (name, "text") != 0 && vend_openai_input (model, name, &schema) != NULL;
  if (find_meaning (name)->is_idle (value))
    return true;
  if (!is_input && strcmp (name, "stop") == 0)
    {
      ask->stop = vend_openai_read_stop (value, fault);
      return ask->stop != NULL;
    }
  if (!is_input && vend_openai_mapping_ignores (model->mapping, name))
    {
      vend_openai_ask_ignore (ask, name);
      return true;
    }
  if (!is_input)
    return vend_openai_refuse (fault, name, "%s: this model has no input for it", name);
  json_auto_t *own = strcmp (name, "stop") == 0 ? stop_value (model, schema, value)
                                                : json_incref ((json_t *) value);
  return vend_openai_ask_set (ask, model, name, name, own);
}

/* The most that the model makes; 0 when its schema does not say it. */
static int64_t
longest (const VendOpenaiModel *model)
{
  const json_t *schema = NULL;
  if (vend_openai_input (model, "max_tokens", &schema) == NULL)
    return 0;
  const json_t *own = vend_schema_resolve (model->openapi, schema);
  int64_t most = vend_json_int (own, "maximum", 0);
  size_t i;
  json_t *one;
  json_array_foreach (json_object_get (own, "anyOf"), i, one)
    most = MAX (most, vend_json_int (vend_schema_resolve (model->openapi, one), "maximum", 0));
  return most;
}

/* It is an upper bound, which a model that makes less keeps anyway: agents ask every model for tens
 * of thousands. */
static bool
take_max_tokens (VendOpenaiAsk *ask, const VendOpenaiModel *model, const char *name,
                 const json_t *value, VendOpenaiFault *fault)
{
  if (!json_is_integer (value) || json_integer_value (value) < 1)
    return vend_openai_refuse (fault, name, "%s: expected a whole number of at least 1", name);
  const int64_t most = longest (model);
  const int64_t asked = json_integer_value (value);
  json_auto_t *given = json_integer (most > 0 ? MIN (asked, most) : asked);
  if (vend_openai_ask_set (ask, model, "max_tokens", name, given))
    ask->max_tokens = json_integer_value (given);
  else
    vend_openai_ask_ignore (ask, name);
  return true;
}

static bool
take_stream (VendOpenaiAsk *ask, const json_t *body, VendOpenaiFault *fault)
{
  const json_t *stream = json_object_get (body, "stream");
  const json_t *options = json_object_get (body, "stream_options");
  if (stream != NULL && !json_is_boolean (stream) && !json_is_null (stream))
    return vend_openai_refuse (fault, "stream", "stream: expected true or false");
  ask->stream = json_is_true (stream);
  ask->include_usage = vend_json_bool (options, "include_usage", false);
  return true;
}

static bool
is_of (const char *const *names, gsize n, const char *name)
{
  for (gsize i = 0; i < n; i++)
    if (strcmp (names[i], name) == 0)
      return true;
  return false;
}

/* All fields but those that say what is read. `own` names these, NULL-terminated. */
static bool
take_fields (VendOpenaiAsk *ask, const VendOpenaiModel *model, const json_t *body,
             const char *const *own, VendOpenaiFault *fault)
{
  static const char *const lengths[]
      = { "max_tokens", "max_completion_tokens", "max_output_tokens" };
  const char *name;
  json_t *value;
  json_auto_t *rest = json_object ();
  json_object_foreach ((json_t *) body, name, value)
    {
      if (json_is_null (value))
        continue;
      if (is_of (lengths, G_N_ELEMENTS (lengths), name))
        {
          if (!take_max_tokens (ask, model, name, value, fault))
            return false;
        }
      else if (find_meaning (name) != NULL)
        {
          if (!take_meaning (ask, model, name, value, fault))
            return false;
        }
      else if (!is_of (plain, G_N_ELEMENTS (plain), name)
               || !vend_openai_ask_set (ask, model, name, name, value))
        json_object_set (rest, name, value);
    }
  vend_openai_ask_others (ask, model, rest, own);
  return take_stream (ask, body, fault);
}

/* ---- The requests */

bool
vend_openai_read_chat (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                       VendOpenaiFault *fault)
{
  static const char *const own[] = { "model", "messages", "stream", "stream_options", NULL };
  vend_openai_ask_init (ask);
  return vend_openai_take_messages (ask, model, json_object_get (body, "messages"), "messages",
                                    fault)
         && take_fields (ask, model, body, own, fault);
}

bool
vend_openai_read_completion (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                             VendOpenaiFault *fault)
{
  static const char *const own[] = { "model", "prompt", "stream", "stream_options", NULL };
  const json_t *prompt = json_object_get (body, "prompt");
  vend_openai_ask_init (ask);
  if (json_is_array (prompt) && json_array_size (prompt) == 1)
    prompt = json_array_get (prompt, 0);
  if (!json_is_string (prompt))
    return vend_openai_refuse (fault, "prompt",
                               "prompt: expected one text; several, and tokens, are not supported");
  ask->words = vend_openai_count_words (json_string_value (prompt));
  if (!vend_openai_ask_set (ask, model, "prompt", "prompt", (json_t *) prompt))
    return vend_openai_refuse (fault, "model", "this model takes no prompt");
  return take_fields (ask, model, body, own, fault);
}

/* A call that the model made before, as the message of it. */
static json_t *
message_of_call (const json_t *item)
{
  json_t *function = json_object ();
  json_object_set (function, "name", json_object_get (item, "name"));
  json_object_set (function, "arguments", json_object_get (item, "arguments"));
  json_t *call = json_object ();
  json_object_set (call, "id", json_object_get (item, "call_id"));
  vend_json_set_string (call, "type", "function");
  json_object_set_new (call, "function", function);
  return json_pack ("{s:s, s:n, s:[o]}", "role", "assistant", "content", "tool_calls", call);
}

/* NULL for an item that says nothing to a model. */
static json_t *
message_of_item (const json_t *item)
{
  const char *type = vend_json_string (item, "type");
  const char *role = vend_json_string (item, "role");
  if (g_strcmp0 (type, "function_call") == 0)
    return message_of_call (item);
  json_t *message = json_object ();
  if (g_strcmp0 (type, "function_call_output") == 0)
    {
      vend_json_set_string (message, "role", "tool");
      json_object_set (message, "content", json_object_get (item, "output"));
      json_object_set (message, "tool_call_id", json_object_get (item, "call_id"));
      return message;
    }
  vend_json_set_string (message, "role", role);
  json_object_set (message, "content", json_object_get (item, "content"));
  return message;
}

/* Items of a conversation as messages: those of tools have no role. */
static json_t *
messages_of_items (const json_t *items, VendOpenaiFault *fault)
{
  json_auto_t *messages = json_array ();
  size_t i;
  json_t *item;
  json_array_foreach ((json_t *) items, i, item)
    {
      const char *type = vend_json_string (item, "type");
      if (g_strcmp0 (type, "reasoning") == 0)
        continue;
      if (vend_json_string (item, "role") == NULL
          && (type == NULL || !g_str_has_prefix (type, "function_call")))
        {
          vend_openai_refuse (fault, "input", "input[%zu]: expected a message with a 'role'", i);
          return NULL;
        }
      json_array_append_new (messages, message_of_item (item));
    }
  return g_steal_pointer (&messages);
}

static json_t *
messages_of_response (const json_t *body, VendOpenaiFault *fault)
{
  const json_t *input = json_object_get (body, "input");
  const json_t *instructions = json_object_get (body, "instructions");
  json_auto_t *messages = NULL;
  if (json_is_string (input))
    messages = json_pack ("[{s:s, s:O}]", "role", "user", "content", input);
  else if (json_is_array (input))
    messages = messages_of_items (input, fault);
  else
    vend_openai_refuse (fault, "input", "input: expected a text, or an array of items");
  if (messages != NULL && json_is_string (instructions))
    json_array_insert_new (messages, 0,
                           json_pack ("{s:s, s:O}", "role", "system", "content", instructions));
  return g_steal_pointer (&messages);
}

/* Functions stand in an object of their own in chat completions, which models know. */
static void
nest_tools (json_t *body)
{
  const json_t *tools = json_object_get (body, "tools");
  if (!json_is_array (tools))
    return;
  json_t *nested = json_array ();
  size_t i;
  json_t *tool;
  json_array_foreach ((json_t *) tools, i, tool)
    {
      json_t *function = json_is_object (tool) ? json_copy (tool) : NULL;
      if (function == NULL || g_strcmp0 (vend_json_string (tool, "type"), "function") != 0)
        {
          json_decref (function);
          json_array_append (nested, tool);
          continue;
        }
      json_object_del (function, "type");
      json_array_append_new (nested,
                             json_pack ("{s:s, s:o}", "type", "function", "function", function));
    }
  json_object_set_new (body, "tools", nested);
}

bool
vend_openai_read_response (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                           VendOpenaiFault *fault)
{
  static const char *const own[]
      = { "model", "input", "instructions", "stream", "stream_options", NULL };
  vend_openai_ask_init (ask);
  json_auto_t *messages = messages_of_response (body, fault);
  json_auto_t *rest = json_copy ((json_t *) body);
  nest_tools (rest);
  return messages != NULL && vend_openai_take_messages (ask, model, messages, "input", fault)
         && take_fields (ask, model, rest, own, fault);
}
