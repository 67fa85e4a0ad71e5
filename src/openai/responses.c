/* Responses: the events of a stream, and the object, which is not kept. */
#include "openai/answer-private.h"

static char *
message_id (const VendOpenaiAnswer *answer)
{
  return g_strconcat ("msg_", answer->run, NULL);
}

static json_t *
text_part (const char *text)
{
  json_t *part = json_pack ("{s:s, s:[]}", "type", "output_text", "annotations");
  vend_json_set_string (part, "text", text);
  return part;
}

static json_t *
message_item (const VendOpenaiAnswer *answer, const char *status)
{
  g_autofree char *id = message_id (answer);
  const bool is_whole = g_str_equal (status, "completed");
  json_t *content = json_array ();
  if (is_whole)
    json_array_append_new (content, text_part (answer->text->str));
  return json_pack ("{s:s, s:s, s:s, s:s, s:o}", "id", id, "type", "message", "status", status,
                    "role", "assistant", "content", content);
}

/* Calls of functions are items of their own here. */
static void
add_calls (const VendOpenaiAnswer *answer, json_t *output)
{
  size_t i;
  json_t *call;
  json_array_foreach (answer->tool_calls, i, call)
    {
      const json_t *function = json_object_get (call, "function");
      const char *id = vend_json_string (call, "id");
      g_autofree char *own = g_strdup_printf ("call_%s_%zu", answer->run, i);
      json_t *item = json_object ();
      json_object_set_new (item, "id", json_sprintf ("fc_%s_%zu", answer->run, i));
      vend_json_set_string (item, "type", "function_call");
      vend_json_set_string (item, "status", "completed");
      vend_json_set_string (item, "call_id", id != NULL ? id : own);
      vend_json_set_string (item, "name", vend_json_string (function, "name"));
      vend_json_set_string (item, "arguments", vend_json_string (function, "arguments"));
      json_array_append_new (output, item);
    }
}

json_t *
vend_openai_response (const VendOpenaiAnswer *answer, const char *status,
                      const VendPrediction *ended)
{
  const bool is_whole = g_str_equal (status, "completed");
  json_t *response = json_object ();
  json_t *output = json_array ();
  vend_json_set_string (response, "id", answer->id);
  vend_json_set_string (response, "object", "response");
  vend_json_set_int (response, "created_at", answer->created_s);
  vend_json_set_string (response, "status", status);
  vend_json_set_string (response, "model", answer->model);
  if (is_whole && (answer->text->len > 0 || answer->tool_calls == NULL))
    json_array_append_new (output, message_item (answer, "completed"));
  if (is_whole)
    add_calls (answer, output);
  json_object_set_new (response, "output", output);
  json_object_set_new (response, "error", json_null ());
  json_object_set_new (response, "incomplete_details", json_null ());
  json_object_set_new (response, "instructions", json_null ());
  json_object_set_new (response, "metadata", json_object ());
  json_object_set_new (response, "parallel_tool_calls", json_true ());
  json_object_set_new (response, "tool_choice", json_string ("auto"));
  json_object_set_new (response, "tools", json_array ());
  json_object_set_new (response, "temperature", json_null ());
  json_object_set_new (response, "top_p", json_null ());
  json_object_set_new (response, "store", json_false ());
  json_object_set_new (response, "usage",
                       is_whole ? vend_openai_answer_usage (answer, ended->metrics) : json_null ());
  return response;
}

static void
event (VendOpenaiAnswer *answer, GString *to, const char *type, json_t *take)
{
  vend_json_set_string (take, "type", type);
  vend_json_set_int (take, "sequence_number", answer->n_events++);
  vend_openai_event (to, type, take);
}

/* Members that tell where in the response an event belongs. */
static json_t *
place (const VendOpenaiAnswer *answer, bool in_part)
{
  g_autofree char *id = message_id (answer);
  json_t *value = json_pack ("{s:s, s:i}", "item_id", id, "output_index", 0);
  if (in_part)
    vend_json_set_int (value, "content_index", 0);
  return value;
}

void
vend_openai_response_begin (VendOpenaiAnswer *answer, GString *to)
{
  static const char *const types[] = { "response.created", "response.in_progress" };
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    event (answer, to, types[i],
           json_pack ("{s:o}", "response", vend_openai_response (answer, "in_progress", NULL)));
  event (answer, to, "response.output_item.added",
         json_pack ("{s:i, s:o}", "output_index", 0, "item", message_item (answer, "in_progress")));
  json_t *part = place (answer, true);
  json_object_set_new (part, "part", text_part (""));
  event (answer, to, "response.content_part.added", part);
}

void
vend_openai_response_piece (VendOpenaiAnswer *answer, GString *to, const char *text)
{
  json_t *delta = place (answer, true);
  g_string_append (answer->text, text);
  vend_json_set_string (delta, "delta", text);
  json_object_set_new (delta, "logprobs", json_array ());
  event (answer, to, "response.output_text.delta", delta);
}

static void
end_message (VendOpenaiAnswer *answer, GString *to)
{
  json_t *text = place (answer, true);
  vend_json_set_string (text, "text", answer->text->str);
  json_object_set_new (text, "logprobs", json_array ());
  event (answer, to, "response.output_text.done", text);
  json_t *part = place (answer, true);
  json_object_set_new (part, "part", text_part (answer->text->str));
  event (answer, to, "response.content_part.done", part);
  event (answer, to, "response.output_item.done",
         json_pack ("{s:i, s:o}", "output_index", 0, "item", message_item (answer, "completed")));
}

/* The message was announced before there were calls, so it stays, even if it is empty. */
static void
end_calls (VendOpenaiAnswer *answer, GString *to)
{
  json_auto_t *calls = json_array ();
  add_calls (answer, calls);
  size_t i;
  json_t *call;
  json_array_foreach (calls, i, call)
    {
      const int index = (int) i + 1;
      json_auto_t *begun = json_copy (call);
      vend_json_set_string (begun, "status", "in_progress");
      vend_json_set_string (begun, "arguments", "");
      event (answer, to, "response.output_item.added",
             json_pack ("{s:i, s:O}", "output_index", index, "item", begun));
      json_t *arguments = json_pack ("{s:i}", "output_index", index);
      vend_json_set_string (arguments, "item_id", vend_json_string (call, "id"));
      vend_json_set_string (arguments, "arguments", vend_json_string (call, "arguments"));
      event (answer, to, "response.function_call_arguments.done", arguments);
      event (answer, to, "response.output_item.done",
             json_pack ("{s:i, s:O}", "output_index", index, "item", call));
    }
}

void
vend_openai_response_end (VendOpenaiAnswer *answer, GString *to, const VendPrediction *ended)
{
  int status = 0;
  if (vend_openai_answer_is_good (answer, ended))
    {
      end_message (answer, to);
      end_calls (answer, to);
      json_t *response = vend_openai_response (answer, "completed", ended);
      event (answer, to, "response.completed", json_pack ("{s:o}", "response", response));
      return;
    }
  json_auto_t *error = vend_openai_run_error (ended, &status);
  const json_t *inner = json_object_get (error, "error");
  json_t *response = vend_openai_response (answer, "failed", ended);
  json_t *short_error = json_object ();
  json_object_set (short_error, "code", json_object_get (inner, "code"));
  json_object_set (short_error, "message", json_object_get (inner, "message"));
  json_object_set_new (response, "error", short_error);
  event (answer, to, "response.failed", json_pack ("{s:o}", "response", response));
  /* What makes clients raise. */
  json_t *event_error = json_object ();
  json_object_update (event_error, (json_t *) inner);
  json_object_set_new (event_error, "error", json_incref ((json_t *) inner));
  event (answer, to, "error", event_error);
}
