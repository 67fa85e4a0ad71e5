/* Chunks of chat completions and completions, and the whole ones.
 *
 * Clients rely on this: `finish_reason` is null, and there, in all chunks but one; that one has no
 * content; `usage` is null in all chunks but the last, if it was asked for; then comes [DONE]. */
#include "openai/answer-private.h"

#define DONE "data: [DONE]\n\n"

/* ---- A stream */

static bool
is_chat (const VendOpenaiAnswer *answer)
{
  return answer->endpoint == VEND_OPENAI_CHAT;
}

/* `take_delta` is an object for chat, a string for completions. */
static void
write_chunk (const VendOpenaiAnswer *answer, GString *to, json_t *take_delta, const char *finish)
{
  json_t *choice = json_pack ("{s:i, s:o, s:n}", "index", 0, is_chat (answer) ? "delta" : "text",
                              take_delta, "logprobs");
  vend_json_set_string (choice, "finish_reason", finish);
  json_t *chunk = json_object ();
  vend_json_set_string (chunk, "id", answer->id);
  vend_json_set_string (chunk, "object",
                        is_chat (answer) ? "chat.completion.chunk" : "text_completion");
  vend_json_set_int (chunk, "created", answer->created_s);
  vend_json_set_string (chunk, "model", answer->model);
  json_object_set_new (chunk, "choices", json_pack ("[o]", choice));
  if (answer->include_usage)
    json_object_set_new (chunk, "usage", json_null ());
  vend_openai_event (to, NULL, chunk);
}

static void
write_usage (const VendOpenaiAnswer *answer, GString *to, const json_t *metrics)
{
  json_t *chunk = json_object ();
  vend_json_set_string (chunk, "id", answer->id);
  vend_json_set_string (chunk, "object",
                        is_chat (answer) ? "chat.completion.chunk" : "text_completion");
  vend_json_set_int (chunk, "created", answer->created_s);
  vend_json_set_string (chunk, "model", answer->model);
  json_object_set_new (chunk, "choices", json_array ());
  json_object_set_new (chunk, "usage", vend_openai_answer_usage (answer, metrics));
  vend_openai_event (to, NULL, chunk);
}

/* Pieces of calls as the model gives them, with the index that clients put them together by, and an
 * id in the first piece of each. `from` is the number of pieces before. */
static json_t *
tool_call_delta (const VendOpenaiAnswer *answer, const json_t *calls)
{
  json_t *delta = json_array ();
  const size_t before = json_array_size (answer->tool_calls) - json_array_size (calls);
  size_t i;
  json_t *call;
  json_array_foreach ((json_t *) calls, i, call)
    {
      json_t *own = json_copy (call);
      const bool is_whole = json_object_get (call, "index") == NULL;
      if (is_whole)
        vend_json_set_int (own, "index", (int64_t) (before + i));
      if (is_whole && vend_json_string (own, "type") == NULL)
        vend_json_set_string (own, "type", "function");
      if (is_whole && vend_json_string (own, "id") == NULL)
        json_object_set_new (own, "id", json_sprintf ("call_%s_%zu", answer->run, before + i));
      json_array_append_new (delta, own);
    }
  return delta;
}

void
vend_openai_answer_begin (VendOpenaiAnswer *answer, GString *to)
{
  if (answer->endpoint == VEND_OPENAI_RESPONSES)
    vend_openai_response_begin (answer, to);
  else if (is_chat (answer))
    write_chunk (answer, to, json_pack ("{s:s, s:s}", "role", "assistant", "content", ""), NULL);
}

/* `take_text` may be NULL. */
static void
write_text (const VendOpenaiAnswer *answer, GString *to, json_t *take_text)
{
  if (take_text != NULL)
    write_chunk (answer, to,
                 is_chat (answer) ? json_pack ("{s:o}", "content", take_text) : take_text, NULL);
}

void
vend_openai_answer_piece (VendOpenaiAnswer *answer, GString *to, const json_t *piece)
{
  g_auto (VendOpenaiPiece) taken = { 0 };
  vend_openai_take_piece (answer, piece, &taken);
  json_t *text = *taken.text != '\0' ? json_string (taken.text) : NULL;
  if (answer->endpoint == VEND_OPENAI_RESPONSES)
    {
      json_decref (text);
      if (*taken.text != '\0')
        vend_openai_response_piece (answer, to, taken.text);
      return;
    }
  write_text (answer, to, text);
  if (taken.tool_calls != NULL && is_chat (answer))
    write_chunk (answer, to,
                 json_pack ("{s:o}", "tool_calls", tool_call_delta (answer, taken.tool_calls)),
                 NULL);
}

void
vend_openai_answer_end (VendOpenaiAnswer *answer, GString *to, const VendPrediction *ended)
{
  int status = 0;
  g_auto (VendOpenaiPiece) rest = { 0 };
  vend_openai_take_rest (answer, &rest);
  if (answer->endpoint == VEND_OPENAI_RESPONSES)
    {
      if (*rest.text != '\0')
        vend_openai_response_piece (answer, to, rest.text);
      vend_openai_response_end (answer, to, ended);
      return;
    }
  write_text (answer, to, *rest.text != '\0' ? json_string (rest.text) : NULL);
  if (!vend_openai_answer_is_good (answer, ended))
    {
      vend_openai_event (to, NULL, vend_openai_run_error (ended, &status));
      return;
    }
  write_chunk (answer, to, is_chat (answer) ? json_object () : json_string (""),
               vend_openai_finish_reason (answer, ended->metrics));
  if (answer->include_usage)
    write_usage (answer, to, ended->metrics);
  g_string_append (to, DONE);
}

/* ---- Whole */

/* Items of an iterator, or the one output. */
static gsize
count_pieces (const json_t *output)
{
  return json_is_array (output) ? json_array_size (output) : 1;
}

static const json_t *
piece_at (const json_t *output, gsize i)
{
  return json_is_array (output) ? json_array_get (output, i) : output;
}

void
vend_openai_answer_look (VendOpenaiAnswer *answer, const json_t *output, gsize from)
{
  const gsize n = count_pieces (output);
  for (gsize i = from; i < n && !vend_openai_answer_is_stopped (answer); i++)
    {
      g_auto (VendOpenaiPiece) piece = { 0 };
      vend_openai_take_piece (answer, piece_at (output, i), &piece);
    }
}

static void
take_output (VendOpenaiAnswer *answer, const VendPrediction *ended)
{
  const gsize n = count_pieces (ended->output);
  for (gsize i = 0; i < n; i++)
    {
      g_auto (VendOpenaiPiece) piece = { 0 };
      vend_openai_take_piece (answer, piece_at (ended->output, i), &piece);
      g_string_append (answer->text, piece.text);
    }
  g_auto (VendOpenaiPiece) rest = { 0 };
  vend_openai_take_rest (answer, &rest);
  g_string_append (answer->text, rest.text);
}

static json_t *
message_of (const VendOpenaiAnswer *answer)
{
  json_t *message = json_pack ("{s:s}", "role", "assistant");
  if (answer->tool_calls != NULL && answer->text->len == 0)
    json_object_set_new (message, "content", json_null ());
  else
    json_object_set_new (message, "content",
                         vend_json_string_new (answer->text->str, answer->text->len));
  json_object_set_new (message, "refusal", json_null ());
  if (answer->tool_calls == NULL)
    return message;
  json_t *calls = tool_call_delta (answer, answer->tool_calls);
  size_t i;
  json_t *call;
  json_array_foreach (calls, i, call)
    json_object_del (call, "index");
  json_object_set_new (message, "tool_calls", calls);
  return message;
}

/* Those that the model gave, several perhaps, with what clients require of each. */
static json_t *
given_choices (const VendOpenaiAnswer *answer, const json_t *metrics)
{
  json_t *choices = json_array ();
  size_t i;
  json_t *given;
  json_array_foreach (answer->choices, i, given)
    {
      json_t *choice = json_copy (given);
      if (i == 0)
        json_object_set_new (choice, "message", message_of (answer));
      vend_json_set_int (choice, "index", (int64_t) i);
      if (vend_json_string (choice, "finish_reason") == NULL)
        vend_json_set_string (choice, "finish_reason", vend_openai_finish_reason (answer, metrics));
      if (json_object_get (choice, "logprobs") == NULL)
        json_object_set_new (choice, "logprobs", json_null ());
      json_array_append_new (choices, choice);
    }
  return choices;
}

static json_t *
choices_of (const VendOpenaiAnswer *answer, const json_t *metrics)
{
  if (is_chat (answer) && answer->choices != NULL)
    return given_choices (answer, metrics);
  json_t *choice = json_pack ("{s:i}", "index", 0);
  if (is_chat (answer))
    json_object_set_new (choice, "message", message_of (answer));
  else
    json_object_set_new (choice, "text",
                         vend_json_string_new (answer->text->str, answer->text->len));
  json_object_set_new (choice, "logprobs", json_null ());
  vend_json_set_string (choice, "finish_reason", vend_openai_finish_reason (answer, metrics));
  return json_pack ("[o]", choice);
}

json_t *
vend_openai_answer_whole (VendOpenaiAnswer *answer, const VendPrediction *ended)
{
  take_output (answer, ended);
  if (answer->endpoint == VEND_OPENAI_RESPONSES)
    return vend_openai_response (answer, "completed", ended);
  json_t *whole = json_object ();
  vend_json_set_string (whole, "id", answer->id);
  vend_json_set_string (whole, "object", is_chat (answer) ? "chat.completion" : "text_completion");
  vend_json_set_int (whole, "created", answer->created_s);
  vend_json_set_string (whole, "model", answer->model);
  json_object_set_new (whole, "choices", choices_of (answer, ended->metrics));
  json_object_set_new (whole, "usage", vend_openai_answer_usage (answer, ended->metrics));
  return whole;
}
