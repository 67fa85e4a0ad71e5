/* Answers in text: what is common to those in chunks and whole ones. */
#include "openai/answer-private.h"
#include "openai/error.h"
#include <math.h>
#include <string.h>

/* Where a model does not count its tokens. */
#define TOKENS_PER_WORD 1.3

static const char *
prefix_of (VendOpenaiEndpoint endpoint)
{
  return endpoint == VEND_OPENAI_CHAT          ? "chatcmpl-"
         : endpoint == VEND_OPENAI_COMPLETIONS ? "cmpl-"
                                               : "resp_";
}

VendOpenaiAnswer *
vend_openai_answer_new (const VendOpenaiVoice *voice)
{
  VendOpenaiAnswer *answer = g_new0 (VendOpenaiAnswer, 1);
  answer->endpoint = voice->endpoint;
  answer->id = g_strconcat (prefix_of (voice->endpoint), voice->id, NULL);
  answer->run = g_strdup (voice->id);
  answer->model = g_strdup (voice->model);
  answer->created_s = voice->created_s;
  answer->include_usage = voice->include_usage;
  answer->max_tokens = voice->max_tokens;
  answer->words_in = voice->words;
  answer->text = g_string_new (NULL);
  if (voice->stop != NULL)
    answer->stop = vend_openai_stop_new (voice->stop);
  return answer;
}

void
vend_openai_answer_free (VendOpenaiAnswer *answer)
{
  if (answer == NULL)
    return;
  g_free (answer->id);
  g_free (answer->run);
  g_free (answer->model);
  g_string_free (answer->text, TRUE);
  json_decref (answer->tool_calls);
  json_decref (answer->choices);
  g_free (answer->finish);
  json_decref (answer->usage);
  vend_openai_stop_free (answer->stop);
  g_free (answer);
}

void
vend_openai_piece_clear (VendOpenaiPiece *piece)
{
  g_clear_pointer (&piece->own, g_free);
}

/* Words may be cut by the borders of pieces. */
static void
count_words (VendOpenaiAnswer *answer, const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    {
      const bool is_space = g_ascii_isspace (*c);
      answer->words_out += !is_space && !answer->in_word;
      answer->in_word = !is_space;
    }
}

static void
take_choices (VendOpenaiAnswer *answer, const json_t *value, json_t *choices, VendOpenaiPiece *out)
{
  const json_t *choice = json_array_get (choices, 0);
  const json_t *said = json_object_get (choice, "message");
  const char *finish = vend_json_string (choice, "finish_reason");
  const json_t *usage = json_object_get (value, "usage");
  if (said == NULL)
    said = json_object_get (choice, "delta");
  const char *content = vend_json_string (said, "content");
  if (content == NULL)
    content = vend_json_string (choice, "text");
  const json_t *calls = json_object_get (said, "tool_calls");
  out->text = content != NULL ? content : "";
  out->tool_calls = json_is_array (calls) && json_array_size (calls) > 0 ? calls : NULL;
  if (finish != NULL && *finish != '\0')
    {
      g_free (answer->finish);
      answer->finish = g_strdup (finish);
    }
  if (json_is_object (usage))
    {
      json_decref (answer->usage);
      answer->usage = json_incref ((json_t *) usage);
    }
  if (json_object_get (choice, "message") != NULL)
    {
      json_decref (answer->choices);
      answer->choices = json_incref (choices);
    }
}

bool
vend_openai_answer_is_stopped (const VendOpenaiAnswer *answer)
{
  return answer->stop != NULL && vend_openai_stop_is_found (answer->stop);
}

static void
cut (VendOpenaiAnswer *answer, VendOpenaiPiece *out)
{
  if (vend_openai_answer_is_stopped (answer))
    out->tool_calls = NULL;
  char *said = vend_openai_stop_take (answer->stop, out->text);
  g_free (out->own);
  out->text = out->own = said;
}

void
vend_openai_take_rest (VendOpenaiAnswer *answer, VendOpenaiPiece *out)
{
  *out = (VendOpenaiPiece){ .text = "" };
  if (answer->stop == NULL)
    return;
  out->text = out->own = vend_openai_stop_rest (answer->stop);
  count_words (answer, out->text);
}

void
vend_openai_take_piece (VendOpenaiAnswer *answer, const json_t *value, VendOpenaiPiece *out)
{
  json_t *choices = json_object_get (value, "choices");
  *out = (VendOpenaiPiece){ .text = "" };
  if (json_is_string (value))
    out->text = json_string_value (value);
  else if (json_is_array (choices))
    take_choices (answer, value, choices, out);
  else if (value != NULL && !json_is_null (value))
    out->text = out->own = vend_json_text (value);
  if (answer->stop != NULL)
    cut (answer, out);
  count_words (answer, out->text);
  if (out->tool_calls == NULL)
    return;
  if (answer->tool_calls == NULL)
    answer->tool_calls = json_array ();
  json_array_extend (answer->tool_calls, (json_t *) out->tool_calls);
}

/* ---- The end */

static const char *const reasons[] = { "stop", "length", "tool_calls", "content_filter" };

const char *
vend_openai_finish_reason (const VendOpenaiAnswer *answer, const json_t *metrics)
{
  const char *said = vend_json_string (metrics, "finish_reason");
  if (vend_openai_answer_is_stopped (answer))
    return "stop";
  if (said == NULL)
    said = answer->finish;
  for (gsize i = 0; said != NULL && i < G_N_ELEMENTS (reasons); i++)
    if (strcmp (said, reasons[i]) == 0)
      return reasons[i];
  if (answer->tool_calls != NULL)
    return "tool_calls";
  const int64_t tokens = vend_json_int (metrics, "output_token_count", 0);
  return answer->max_tokens > 0 && tokens >= answer->max_tokens ? "length" : "stop";
}

static int64_t
estimate (uint64_t words)
{
  return (int64_t) ceil ((double) words * TOKENS_PER_WORD);
}

json_t *
vend_openai_usage (VendOpenaiEndpoint endpoint, const json_t *metrics, uint64_t words_in,
                   uint64_t words_out)
{
  const bool is_response = endpoint == VEND_OPENAI_RESPONSES;
  const int64_t in = vend_json_int (metrics, "input_token_count", -1);
  const int64_t out = vend_json_int (metrics, "output_token_count", -1);
  const int64_t n_in = in >= 0 ? in : estimate (words_in);
  const int64_t n_out = out >= 0 ? out : estimate (words_out);
  json_t *usage = json_object ();
  vend_json_set_int (usage, is_response ? "input_tokens" : "prompt_tokens", n_in);
  vend_json_set_int (usage, is_response ? "output_tokens" : "completion_tokens", n_out);
  vend_json_set_int (usage, "total_tokens", n_in + n_out);
  if (is_response)
    {
      json_object_set_new (usage, "input_tokens_details", json_pack ("{s:i}", "cached_tokens", 0));
      json_object_set_new (usage, "output_tokens_details",
                           json_pack ("{s:i}", "reasoning_tokens", 0));
    }
  if (in < 0 || out < 0)
    vend_json_set_bool (usage, "vend_estimated", true);
  return usage;
}

json_t *
vend_openai_answer_usage (const VendOpenaiAnswer *answer, const json_t *metrics)
{
  if (answer->usage != NULL && answer->endpoint != VEND_OPENAI_RESPONSES)
    return json_incref (answer->usage);
  return vend_openai_usage (answer->endpoint, metrics, answer->words_in, answer->words_out);
}

/* The server cancels a run whose answer has stopped. */
bool
vend_openai_answer_is_good (const VendOpenaiAnswer *answer, const VendPrediction *ended)
{
  return ended->status == VEND_STATUS_SUCCEEDED
         || (ended->status != VEND_STATUS_FAILED && vend_openai_answer_is_stopped (answer));
}

json_t *
vend_openai_run_error (const VendPrediction *ended, int *out_status)
{
  const bool is_canceled = ended->status != VEND_STATUS_FAILED;
  const char *code = ended->error_code != NULL ? ended->error_code
                     : is_canceled             ? "canceled"
                                               : "model_failed";
  const char *message = ended->error != NULL && *ended->error != '\0' ? ended->error
                        : is_canceled                                 ? "the run was canceled"
                                                                      : "the model failed";
  *out_status = is_canceled ? 409 : 500;
  return vend_openai_error (*out_status, message, NULL, code);
}

void
vend_openai_event (GString *to, const char *name, json_t *take)
{
  if (name != NULL)
    g_string_append_printf (to, "event: %s\n", name);
  g_string_append (to, "data: ");
  vend_json_append_text (to, take);
  g_string_append (to, "\n\n");
  json_decref (take);
}
