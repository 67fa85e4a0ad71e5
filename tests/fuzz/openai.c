/* Requests of OpenAI's endpoints as inputs of models. First byte: the model, and which request. */
#include "fuzz.h"
#include "openai/request.h"
#include <string.h>

#define MOST_IGNORED 4096

static const char *const models[] = {
  "{\"components\":{\"schemas\":{\"Input\":{\"properties\":{\"prompt\":{\"type\":\"string\"},"
  "\"system_prompt\":{\"type\":\"string\"},\"stop\":{\"type\":\"string\"},\"max_tokens\":{},"
  "\"images\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"format\":\"uri\"}}}},"
  "\"Output\":{\"type\":\"string\"}}}}",
  "{\"components\":{\"schemas\":{\"Input\":{\"properties\":{\"messages\":{\"type\":\"array\"},"
  "\"tools\":{\"type\":\"array\"},\"n\":{\"type\":\"integer\"}}},\"Output\":{\"type\":\"object\"}}}"
  "}",
  "{\"components\":{\"schemas\":{\"Input\":{\"properties\":{\"messages\":{\"type\":\"string\"},"
  "\"audio\":{\"type\":\"string\",\"format\":\"uri\"}}},\"Output\":{\"type\":\"string\"}}}}",
};

typedef bool (*ReadRequest) (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                             VendOpenaiFault *fault);
static const ReadRequest readers[]
    = { vend_openai_read_chat, vend_openai_read_completion, vend_openai_read_response };

static void
check_ask (const VendOpenaiAsk *ask)
{
  fuzz_check_json (ask->input);
  const char *name;
  json_t *param;
  json_object_foreach (ask->params, name, param)
    {
      g_assert_nonnull (json_object_get (ask->input, name));
      g_assert_true (json_is_string (param));
    }
  g_assert_cmpuint (ask->ignored->len, <, MOST_IGNORED);
  for (const char *c = ask->ignored->str; *c != '\0'; c++)
    g_assert_true (g_ascii_isgraph (*c));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  const guint8 which = fuzz_take_byte (&input);
  json_auto_t *body = NULL;
  json_auto_t *openapi = json_loads (models[which % G_N_ELEMENTS (models)], 0, NULL);
  const VendOpenaiModel model = { openapi, NULL };
  g_assert_nonnull (openapi);
  if (!vend_json_parse (input.data, input.size, &body, NULL) || !json_is_object (body))
    return 0;
  json_auto_t *before = json_deep_copy (body);
  g_auto (VendOpenaiAsk) ask = { 0 };
  g_auto (VendOpenaiFault) fault = { 0 };
  const bool good
      = readers[which / G_N_ELEMENTS (models) % G_N_ELEMENTS (readers)](&model, body, &ask, &fault);
  g_assert_true (json_equal (before, body));
  g_assert_true (good == (fault.message == NULL));
  if (good)
    check_ask (&ask);
  else
    {
      fuzz_check_utf8 (fault.message);
      g_assert_nonnull (fault.param);
    }
  return 0;
}
