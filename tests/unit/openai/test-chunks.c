/* Chunks of streams: every rule that clients rely on. */
#include "openai/chunks.h"
#include "schemas.h"
#include <string.h>

static VendOpenaiAnswer *
answer_of (VendOpenaiEndpoint endpoint, bool include_usage)
{
  return vend_openai_answer_new (&(VendOpenaiVoice){ .endpoint = endpoint,
                                                     .id = "run",
                                                     .model = "o/n",
                                                     .created_s = 7,
                                                     .include_usage = include_usage,
                                                     .max_tokens = 3,
                                                     .words = 10 });
}

/* The data of a stream as an array; the last event, which is no JSON, is checked here. */
static json_t *
stream (VendOpenaiEndpoint endpoint, bool include_usage, const char *pieces, VendStatus status,
        const char *metrics_text)
{
  g_autoptr (VendOpenaiAnswer) answer = answer_of (endpoint, include_usage);
  g_autoptr (GString) text = g_string_new (NULL);
  json_auto_t *list = quoted (pieces);
  json_auto_t *metrics = metrics_text != NULL ? quoted (metrics_text) : NULL;
  const VendPrediction ended
      = { .status = status, .metrics = metrics, .error = (char *) "it broke" };
  json_t *events = json_array ();
  size_t i;
  json_t *piece;
  vend_openai_answer_begin (answer, text);
  json_array_foreach (list, i, piece)
    vend_openai_answer_piece (answer, text, piece);
  vend_openai_answer_end (answer, text, &ended);
  g_auto (GStrv) lines = g_strsplit (text->str, "\n\n", -1);
  const guint n = g_strv_length (lines) - 1;
  const bool is_done = endpoint != VEND_OPENAI_RESPONSES && status == VEND_STATUS_SUCCEEDED;
  g_assert_cmpstr (lines[n], ==, "");
  g_assert_true (g_str_equal (lines[n - 1], "data: [DONE]") == is_done);
  for (guint line = 0; line < n - is_done; line++)
    {
      const char *data = strstr (lines[line], "data: ");
      json_array_append_new (events, json_loads (data + strlen ("data: "), 0, NULL));
    }
  g_assert_true (strstr (text->str, "\r") == NULL);
  return events;
}

static const json_t *
choice_of (const json_t *events, size_t i)
{
  return json_array_get (json_object_get (json_array_get (events, i), "choices"), 0);
}

static void
check_delta (const json_t *events, size_t i, const char *expected_text)
{
  json_auto_t *expected = quoted (expected_text);
  g_assert_true (json_equal (json_object_get (choice_of (events, i), "delta"), expected));
}

static void
test_chat (void)
{
  json_auto_t *events
      = stream (VEND_OPENAI_CHAT, false, "['a', '', ' b']", VEND_STATUS_SUCCEEDED, NULL);
  g_assert_cmpuint (json_array_size (events), ==, 4);
  check_delta (events, 0, "{'role': 'assistant', 'content': ''}");
  check_delta (events, 1, "{'content': 'a'}");
  check_delta (events, 2, "{'content': ' b'}");
  check_delta (events, 3, "{}");
  for (size_t i = 0; i < 4; i++)
    {
      const json_t *event = json_array_get (events, i);
      const json_t *finish = json_object_get (choice_of (events, i), "finish_reason");
      g_assert_cmpstr (vend_json_string (event, "id"), ==, "chatcmpl-run");
      g_assert_cmpstr (vend_json_string (event, "object"), ==, "chat.completion.chunk");
      g_assert_cmpstr (vend_json_string (event, "model"), ==, "o/n");
      g_assert_cmpint (vend_json_int (event, "created", 0), ==, 7);
      g_assert_null (json_object_get (event, "usage"));
      g_assert_true (json_is_null (json_object_get (choice_of (events, i), "logprobs")));
      if (i < 3)
        g_assert_true (json_is_null (finish));
      else
        g_assert_cmpstr (json_string_value (finish), ==, "stop");
    }
}

/* The run is canceled by the server when the text has come. */
static void
test_stop (void)
{
  json_auto_t *stop = quoted ("['END']");
  static const VendStatus statuses[] = { VEND_STATUS_SUCCEEDED, VEND_STATUS_CANCELED };
  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++)
    {
      const VendOpenaiVoice voice
          = { .endpoint = VEND_OPENAI_CHAT, .id = "run", .model = "o/n", .stop = stop };
      g_autoptr (VendOpenaiAnswer) answer = vend_openai_answer_new (&voice);
      g_autoptr (GString) text = g_string_new (NULL);
      const VendPrediction ended = { .status = statuses[i] };
      json_auto_t *pieces = quoted ("['a E', 'ND more', 'left out']");
      size_t n;
      json_t *piece;
      json_array_foreach (pieces, n, piece)
        vend_openai_answer_piece (answer, text, piece);
      g_assert_true (vend_openai_answer_is_stopped (answer));
      vend_openai_answer_end (answer, text, &ended);
      g_assert_nonnull (strstr (text->str, "\"content\":\"a \""));
      g_assert_nonnull (strstr (text->str, "\"finish_reason\":\"stop\""));
      g_assert_null (strstr (text->str, "END"));
      g_assert_null (strstr (text->str, "more"));
      g_assert_null (strstr (text->str, "left out"));
      g_assert_true (g_str_has_suffix (text->str, "data: [DONE]\n\n"));
    }
}

/* What may have begun such a text is said at the end. */
static void
test_no_stop (void)
{
  json_auto_t *stop = quoted ("['END']");
  json_auto_t *output = quoted ("['a E', 'N']");
  const VendOpenaiVoice voice
      = { .endpoint = VEND_OPENAI_CHAT, .id = "run", .model = "o/n", .stop = stop };
  g_autoptr (VendOpenaiAnswer) answer = vend_openai_answer_new (&voice);
  const VendPrediction ended = { .status = VEND_STATUS_SUCCEEDED, .output = output };
  json_auto_t *whole = vend_openai_answer_whole (answer, &ended);
  const json_t *choice = json_array_get (json_object_get (whole, "choices"), 0);
  g_assert_cmpstr (vend_json_string (json_object_get (choice, "message"), "content"), ==, "a EN");
}

static void
test_usage (void)
{
  json_auto_t *events
      = stream (VEND_OPENAI_CHAT, true, "['a b']", VEND_STATUS_SUCCEEDED,
                "{'input_token_count': 4, 'output_token_count': 3, 'predict_time': 1.5}");
  const size_t n = json_array_size (events);
  for (size_t i = 0; i + 1 < n; i++)
    g_assert_true (json_is_null (json_object_get (json_array_get (events, i), "usage")));
  const json_t *last = json_array_get (events, n - 1);
  json_auto_t *expected
      = quoted ("{'prompt_tokens': 4, 'completion_tokens': 3, 'total_tokens': 7}");
  g_assert_true (json_equal (json_object_get (last, "usage"), expected));
  g_assert_cmpuint (json_array_size (json_object_get (last, "choices")), ==, 0);
  /* As many as were allowed. */
  g_assert_cmpstr (vend_json_string (choice_of (events, n - 2), "finish_reason"), ==, "length");
}

static void
test_estimated_usage (void)
{
  json_auto_t *usage = vend_openai_usage (VEND_OPENAI_CHAT, NULL, 10, 3);
  json_auto_t *expected
      = quoted ("{'prompt_tokens': 13, 'completion_tokens': 4, 'total_tokens': 17,"
                " 'vend_estimated': true}");
  g_assert_true (json_equal (usage, expected));
}

/* One whole call, and one in pieces of the model's own. */
static void
test_tool_calls (void)
{
  json_auto_t *events = stream (
      VEND_OPENAI_CHAT, false,
      "[{'choices': [{'message': {'content': null, 'tool_calls': [{'function': {'name': 'f',"
      " 'arguments': '{}'}}]}, 'finish_reason': 'tool_calls'}]}]",
      VEND_STATUS_SUCCEEDED, NULL);
  check_delta (events, 1,
               "{'tool_calls': [{'index': 0, 'id': 'call_run_0', 'type': 'function',"
               " 'function': {'name': 'f', 'arguments': '{}'}}]}");
  check_delta (events, 2, "{}");
  g_assert_cmpstr (vend_json_string (choice_of (events, 2), "finish_reason"), ==, "tool_calls");
  json_auto_t *pieces = stream (
      VEND_OPENAI_CHAT, false,
      "[{'choices': [{'delta': {'role': 'assistant', 'content': 'x', 'tool_calls': [{'index': 0,"
      " 'id': 'c', 'function': {'name': 'f', 'arguments': ''}}]}, 'finish_reason': null}]},"
      " {'choices': [{'delta': {'tool_calls': [{'index': 0, 'function': {'arguments': '{}'}}]},"
      " 'finish_reason': 'stop'}]}]",
      VEND_STATUS_SUCCEEDED, NULL);
  check_delta (pieces, 1, "{'content': 'x'}");
  check_delta (pieces, 2,
               "{'tool_calls': [{'index': 0, 'id': 'c', 'function': {'name': 'f',"
               " 'arguments': ''}}]}");
  check_delta (pieces, 3, "{'tool_calls': [{'index': 0, 'function': {'arguments': '{}'}}]}");
  check_delta (pieces, 4, "{}");
  g_assert_cmpstr (vend_json_string (choice_of (pieces, 4), "finish_reason"), ==, "stop");
}

static void
test_failures (void)
{
  json_auto_t *failed = stream (VEND_OPENAI_CHAT, true, "['a']", VEND_STATUS_FAILED, NULL);
  json_auto_t *expected = quoted ("{'error': {'message': 'it broke', 'type': 'server_error',"
                                  " 'param': null, 'code': 'model_failed'}}");
  g_assert_cmpuint (json_array_size (failed), ==, 3);
  g_assert_true (json_equal (json_array_get (failed, 2), expected));
  int status = 0;
  const VendPrediction canceled = { .status = VEND_STATUS_CANCELED };
  json_auto_t *error = vend_openai_run_error (&canceled, &status);
  g_assert_cmpint (status, ==, 409);
  g_assert_cmpstr (vend_json_string (json_object_get (error, "error"), "code"), ==, "canceled");
}

static void
test_completions (void)
{
  json_auto_t *events
      = stream (VEND_OPENAI_COMPLETIONS, false, "['a', 7]", VEND_STATUS_SUCCEEDED, NULL);
  static const char *const texts[] = { "a", "7", "" };
  g_assert_cmpuint (json_array_size (events), ==, 3);
  for (size_t i = 0; i < 3; i++)
    {
      g_assert_cmpstr (vend_json_string (choice_of (events, i), "text"), ==, texts[i]);
      g_assert_cmpstr (vend_json_string (json_array_get (events, i), "object"), ==,
                       "text_completion");
    }
}

static void
test_responses (void)
{
  json_auto_t *events
      = stream (VEND_OPENAI_RESPONSES, false, "['a', ' b']", VEND_STATUS_SUCCEEDED, NULL);
  static const char *const types[] = {
    "response.created",           "response.in_progress",
    "response.output_item.added", "response.content_part.added",
    "response.output_text.delta", "response.output_text.delta",
    "response.output_text.done",  "response.content_part.done",
    "response.output_item.done",  "response.completed",
  };
  g_assert_cmpuint (json_array_size (events), ==, G_N_ELEMENTS (types));
  for (size_t i = 0; i < G_N_ELEMENTS (types); i++)
    {
      const json_t *event = json_array_get (events, i);
      g_assert_cmpstr (vend_json_string (event, "type"), ==, types[i]);
      g_assert_cmpint (vend_json_int (event, "sequence_number", -1), ==, (int64_t) i);
    }
  g_assert_cmpstr (vend_json_string (json_array_get (events, 6), "text"), ==, "a b");
  json_auto_t *failed = stream (VEND_OPENAI_RESPONSES, false, "[]", VEND_STATUS_FAILED, NULL);
  const json_t *last = json_array_get (failed, json_array_size (failed) - 1);
  g_assert_cmpstr (vend_json_string (last, "type"), ==, "error");
  g_assert_cmpstr (vend_json_string (last, "message"), ==, "it broke");
}

static void
test_function_calls_of_responses (void)
{
  json_auto_t *events
      = stream (VEND_OPENAI_RESPONSES, false,
                "[{'choices': [{'message': {'tool_calls': [{'id': 'c', 'function': {'name': 'f',"
                " 'arguments': '{}'}}]}}]}]",
                VEND_STATUS_SUCCEEDED, NULL);
  const size_t n = json_array_size (events);
  const json_t *response = json_object_get (json_array_get (events, n - 1), "response");
  const json_t *call = json_array_get (json_object_get (response, "output"), 0);
  g_assert_cmpstr (vend_json_string (call, "type"), ==, "function_call");
  g_assert_cmpstr (vend_json_string (call, "call_id"), ==, "c");
  g_assert_cmpstr (vend_json_string (json_array_get (events, n - 3), "type"), ==,
                   "response.function_call_arguments.done");
}

static void
test_whole (void)
{
  g_autoptr (VendOpenaiAnswer) answer = answer_of (VEND_OPENAI_CHAT, false);
  json_auto_t *output = quoted ("['a', ' b']");
  const VendPrediction ended = { .status = VEND_STATUS_SUCCEEDED, .output = output };
  json_auto_t *whole = vend_openai_answer_whole (answer, &ended);
  const json_t *message
      = json_object_get (json_array_get (json_object_get (whole, "choices"), 0), "message");
  g_assert_cmpstr (vend_json_string (message, "content"), ==, "a b");
  g_autoptr (VendOpenaiAnswer) several = answer_of (VEND_OPENAI_CHAT, false);
  json_auto_t *given = quoted ("{'choices': [{'message': {'content': 'x'}},"
                               " {'message': {'role': 'assistant', 'content': 'y'},"
                               " 'finish_reason': 'length'}]}");
  const VendPrediction both = { .status = VEND_STATUS_SUCCEEDED, .output = given };
  json_auto_t *two = vend_openai_answer_whole (several, &both);
  json_t *choices = json_object_get (two, "choices");
  g_assert_cmpuint (json_array_size (choices), ==, 2);
  g_assert_cmpstr (vend_json_string (json_array_get (choices, 0), "finish_reason"), ==, "stop");
  g_assert_cmpint (vend_json_int (json_array_get (choices, 1), "index", 0), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  json_object_seed (0);
  g_test_add_func ("/openai/chunks/chat", test_chat);
  g_test_add_func ("/openai/chunks/stop", test_stop);
  g_test_add_func ("/openai/chunks/no-stop", test_no_stop);
  g_test_add_func ("/openai/chunks/usage", test_usage);
  g_test_add_func ("/openai/chunks/estimated-usage", test_estimated_usage);
  g_test_add_func ("/openai/chunks/tool-calls", test_tool_calls);
  g_test_add_func ("/openai/chunks/failures", test_failures);
  g_test_add_func ("/openai/chunks/completions", test_completions);
  g_test_add_func ("/openai/chunks/responses", test_responses);
  g_test_add_func ("/openai/chunks/function-calls", test_function_calls_of_responses);
  g_test_add_func ("/openai/chunks/whole", test_whole);
  return g_test_run ();
}
