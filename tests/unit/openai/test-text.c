/* Requests for text as inputs of models. */
#include "openai/request.h"
#include "schemas.h"

#define PROMPT "'prompt': " TEXT
#define SYSTEM "'system_prompt': " TEXT
#define FILES "{'type': 'array', 'items': " FILE_URI "}"
#define USER "{'role': 'user', 'content': 'hi'}"

typedef struct
{
  const char *inputs;
  const char *body; /* members of the request */
  const char *input;
  const char *ignored;
} Case;

static const Case good[] = {
  { "{" PROMPT "}", "'messages': [" USER "]", "{'prompt': 'hi'}", "" },
  { "{" PROMPT "}", "'messages': [{'role': 'system', 'content': 's'}, " USER "]",
    "{'prompt': 'system: s\\nuser: hi\\nassistant:'}", "" },
  { "{" PROMPT ", " SYSTEM "}",
    "'messages': [{'role': 'system', 'content': 's'}, {'role': 'developer', 'content': 'd'}, " USER
    "]",
    "{'prompt': 'hi', 'system_prompt': 's\\n\\nd'}", "" },
  { "{" PROMPT "}", "'messages': [" USER ", {'role': 'assistant', 'content': null}]",
    "{'prompt': 'user: hi\\nassistant: \\nassistant:'}", "" },
  { "{" PROMPT ", 'images': " FILES "}",
    "'messages': [{'role': 'user', 'content': [{'type': 'text', 'text': 'a'}, {'type': 'image_url',"
    " 'image_url': {'url': 'https://h/1'}}, {'type': 'text', 'text': 'b'}, {'type': 'image_url',"
    " 'image_url': 'https://h/2'}]}]",
    "{'prompt': 'ab', 'images': ['https://h/1', 'https://h/2']}", "" },
  { "{" PROMPT ", 'audio': " FILE_URI "}",
    "'messages': [{'role': 'user', 'content': [{'type': 'input_audio', 'input_audio':"
    " {'data': 'AA==', 'format': 'mp3'}}]}]",
    "{'prompt': '', 'audio': 'data:audio/mpeg;base64,AA=='}", "" },
  { "{'messages': {'type': 'array', 'items': {'type': 'object'}}}", "'messages': [" USER "]",
    "{'messages': [" USER "]}", "" },
  { "{'messages': " TEXT "}", "'messages': [" USER "]",
    "{'messages': '[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"hi\\\"}]'}", "" },
  { "{" PROMPT ", 'max_new_tokens': {}, 'temperature': {}, 'repeat': {}}",
    "'messages': [" USER "], 'max_completion_tokens': 5, 'temperature': 0.5, 'top_p': 1,"
    " 'repeat': 2, 'user': 'u', 'n': 1, 'stop': null, 'a\\rb': 1, 'prompt': 'x'",
    "{'prompt': 'hi', 'max_new_tokens': 5, 'temperature': 0.5, 'repeat': 2}", "prompt,top_p,user" },
  { "{" PROMPT ", 'stop_sequences': " TEXT "}", "'messages': [" USER "], 'stop': ['a', 'b']",
    "{'prompt': 'hi', 'stop_sequences': 'a,b'}", "" },
  { "{" PROMPT ", 'stop': {'type': 'array', 'items': " TEXT "}}",
    "'messages': [" USER "], 'stop': 'a'", "{'prompt': 'hi', 'stop': ['a']}", "" },
  { "{" PROMPT ", 'tools': {}}", "'messages': [" USER "], 'tools': [{'type': 'function'}]",
    "{'prompt': 'hi', 'tools': [{'type': 'function'}]}", "" },
};

static char *
sorted (const char *names)
{
  g_auto (GStrv) list = g_strsplit (names, ",", -1);
  const guint n = g_strv_length (list);
  for (guint i = 0; i < n; i++)
    for (guint j = i + 1; j < n; j++)
      if (g_strcmp0 (list[j], list[i]) < 0)
        {
          char *swapped = list[i];
          list[i] = list[j];
          list[j] = swapped;
        }
  return g_strjoinv (",", list);
}

static void
test_good (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *text = g_strdup_printf ("{%s}", good[i].body);
      json_auto_t *openapi = version_of (good[i].inputs, TEXT);
      json_auto_t *body = quoted (text);
      json_auto_t *expected = quoted (good[i].input);
      const VendOpenaiModel model = { openapi, NULL };
      g_auto (VendOpenaiFault) fault = { 0 };
      g_auto (VendOpenaiAsk) ask = { 0 };
      g_assert_true (vend_openai_read_chat (&model, body, &ask, &fault));
      g_autofree char *ignored = sorted (ask.ignored->str);
      g_assert_true (json_equal (ask.input, expected));
      g_assert_cmpstr (ignored, ==, good[i].ignored);
    }
}

static const struct
{
  const char *body;
  const char *param;
} bad[] = {
  { "", "messages" },
  { "'messages': {}", "messages" },
  { "'messages': [7]", "messages" },
  { "'messages': [{'role': 'user', 'content': 7}]", "messages" },
  { "'messages': [{'role': 'user', 'content': [7]}]", "messages" },
  { "'messages': [{'role': 'user', 'content': [{'type': 'image_url'}]}]", "messages" },
  { "'messages': [{'role': 'user', 'content': [{'type': 'image_url', 'image_url': 'u'}]}]",
    "messages" },
  { "'messages': [{'role': 'user', 'content': [{'type': 'input_audio', 'input_audio':"
    " {'data': 'AA==', 'format': 'flac'}}]}]",
    "messages" },
  { "'messages': [" USER "], 'max_tokens': 0", "max_tokens" },
  { "'messages': [" USER "], 'max_tokens': 'x'", "max_tokens" },
  { "'messages': [" USER "], 'n': 2", "n" },
  { "'messages': [" USER "], 'stream': 1", "stream" },
  { "'messages': [" USER "], 'tools': [7]", "tools" },
  { "'messages': [" USER "], 'tool_choice': 'required'", "tool_choice" },
  { "'messages': [" USER "], 'response_format': {'type': 'json_schema'}", "response_format" },
  { "'messages': [" USER "], 'modalities': ['text', 'audio']", "modalities" },
};

static void
test_bad (void)
{
  json_auto_t *openapi = version_of ("{" PROMPT "}", TEXT);
  const VendOpenaiModel model = { openapi, NULL };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *text = g_strdup_printf ("{%s}", bad[i].body);
      json_auto_t *body = quoted (text);
      g_auto (VendOpenaiFault) fault = { 0 };
      g_auto (VendOpenaiAsk) ask = { 0 };
      g_assert_false (vend_openai_read_chat (&model, body, &ask, &fault));
      g_assert_cmpstr (fault.param, ==, bad[i].param);
      g_assert_cmpint (fault.status, ==, 400);
    }
}

static void
test_streams (void)
{
  json_auto_t *openapi = version_of ("{" PROMPT ", 'max_length': {}}", TEXT);
  json_auto_t *body = quoted ("{'messages': [" USER "], 'stream': true, 'max_tokens': 9,"
                              " 'stream_options': {'include_usage': true}}");
  const VendOpenaiModel model = { openapi, NULL };
  g_auto (VendOpenaiFault) fault = { 0 };
  g_auto (VendOpenaiAsk) ask = { 0 };
  g_assert_true (vend_openai_read_chat (&model, body, &ask, &fault));
  g_assert_true (ask.stream && ask.include_usage);
  g_assert_cmpint (ask.max_tokens, ==, 9);
  g_assert_cmpuint (ask.words, ==, 1);
  g_assert_cmpstr (vend_openai_ask_param (&ask, "input.max_length"), ==, "max_tokens");
  g_assert_cmpstr (vend_openai_ask_param (&ask, "input.prompt"), ==, "messages");
  g_assert_null (vend_openai_ask_param (&ask, "input.other"));
}

static void
check_response (const VendOpenaiModel *model, const char *text, const char *expected_text)
{
  json_auto_t *body = quoted (text);
  json_auto_t *expected = quoted (expected_text);
  g_auto (VendOpenaiFault) fault = { 0 };
  g_auto (VendOpenaiAsk) ask = { 0 };
  g_assert_true (vend_openai_read_response (model, body, &ask, &fault));
  g_assert_true (json_equal (ask.input, expected));
}

static void
test_responses (void)
{
  json_auto_t *openapi = version_of ("{" PROMPT ", " SYSTEM "}", TEXT);
  const VendOpenaiModel model = { openapi, NULL };
  check_response (&model, "{'input': 'hi', 'text': {'format': {'type': 'text'}}}",
                  "{'prompt': 'hi'}");
  check_response (&model, "{'instructions': 's', 'input': [" USER "]}",
                  "{'prompt': 'hi', 'system_prompt': 's'}");
  check_response (
      &model,
      "{'input': [" USER ", {'type': 'reasoning'}, {'type': 'message', 'role': 'assistant',"
      " 'content': [{'type': 'output_text', 'text': 'a'}]}, {'type': 'function_call_output',"
      " 'call_id': 'c', 'output': 'o'}]}",
      "{'prompt': 'user: hi\\nassistant: a\\ntool: o\\nassistant:'}");
  json_auto_t *body = quoted ("{'input': 7}");
  g_auto (VendOpenaiFault) fault = { 0 };
  g_auto (VendOpenaiAsk) ask = { 0 };
  g_assert_false (vend_openai_read_response (&model, body, &ask, &fault));
  g_assert_cmpstr (fault.param, ==, "input");
}

static void
test_function_items (void)
{
  json_auto_t *openapi
      = version_of ("{'messages': {'type': 'array', 'items': {'type': 'object'}}, 'tools': {}}",
                    "{'type': 'object'}");
  const VendOpenaiModel model = { openapi, NULL };
  check_response (
      &model,
      "{'input': [{'type': 'function_call', 'call_id': 'c', 'name': 'f', 'arguments': '{}'},"
      " {'type': 'function_call_output', 'call_id': 'c', 'output': 'o'}],"
      " 'tools': [{'type': 'function', 'name': 'f', 'parameters': {}}]}",
      "{'messages': [{'role': 'assistant', 'content': null, 'tool_calls': [{'id': 'c', 'type':"
      " 'function', 'function': {'name': 'f', 'arguments': '{}'}}]},"
      " {'role': 'tool', 'content': 'o', 'tool_call_id': 'c'}],"
      " 'tools': [{'type': 'function', 'function': {'name': 'f', 'parameters': {}}}]}");
}

static void
test_words (void)
{
  g_assert_cmpuint (vend_openai_count_words (""), ==, 0);
  g_assert_cmpuint (vend_openai_count_words (" a\n bc "), ==, 2);
}

static void
test_ignored_has_a_limit (void)
{
  g_auto (VendOpenaiAsk) ask = { 0 };
  vend_openai_ask_init (&ask);
  for (guint i = 0; i < 1000; i++)
    vend_openai_ask_ignore (&ask, "a_name_that_is_long_enough_to_matter");
  vend_openai_ask_ignore (&ask, "x\ny");
  g_assert_cmpuint (ask.ignored->len, <, 4096);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openai/text/good", test_good);
  g_test_add_func ("/openai/text/bad", test_bad);
  g_test_add_func ("/openai/text/streams", test_streams);
  g_test_add_func ("/openai/text/responses", test_responses);
  g_test_add_func ("/openai/text/function-items", test_function_items);
  g_test_add_func ("/openai/text/words", test_words);
  g_test_add_func ("/openai/text/ignored", test_ignored_has_a_limit);
  return g_test_run ();
}
